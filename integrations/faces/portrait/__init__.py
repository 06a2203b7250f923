"""A talking head from one photo, on a CPU."""

from integrations.faces.portrait.enrol import enrol
from integrations.faces.portrait.enrolled import Enrolled
from integrations.faces.portrait.face import PortraitFace
from integrations.faces.portrait.sheet import contact_sheet

__all__ = ["Enrolled", "PortraitFace", "contact_sheet", "enrol"]
