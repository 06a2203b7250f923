"""The envelopes that travel through the queue: ids only, never words, faces or voices."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from bot.messages import Medium

JOB_VERSION = 1


class ReplyJob(BaseModel):
    """Answer the question `turn_id` (a PERSON turn) in `medium`, before `deadline` (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=JOB_VERSION, ge=1, le=JOB_VERSION)
    turn_id: UUID
    medium: Medium
    deadline: datetime
    trace_id: str = Field(max_length=64)
