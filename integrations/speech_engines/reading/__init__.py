"""Text as it is written to text as it is read out: numbers, dates, money, addresses, abbreviations."""

from integrations.speech_engines.reading.clauses import Clause, clauses
from integrations.speech_engines.reading.normalise import Reading, read

__all__ = ["Clause", "Reading", "clauses", "read"]
