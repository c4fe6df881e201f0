from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Email = Annotated[str, StringConstraints(to_lower=True, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]


class NewUser(BaseModel):
    email: Email
    full_name: Text


class NewProject(BaseModel):
    owner_id: UUID
    name: Text


class NewItem(BaseModel):
    owner_id: UUID
    project_id: UUID | None = None
    title: Text


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime


class UserOut(Row):
    email: str
    full_name: str


class ProjectOut(Row):
    owner_id: UUID
    name: str


class ItemOut(Row):
    owner_id: UUID
    project_id: UUID | None
    title: str


class NotificationOut(Row):
    user_id: UUID
    body: str
    read_at: datetime | None
