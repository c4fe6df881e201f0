from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select

from app.db import Session
from app.lookup import found
from app.models import Item, Project, User
from app.schemas import ItemOut, NewProject, ProjectOut

router = APIRouter(prefix="/projects", tags=["projects"])


@router.post("", status_code=201, response_model=ProjectOut)
async def create_project(new: NewProject, session: Session) -> Project:
    await found(session, User, new.owner_id)
    project = Project(**new.model_dump())
    session.add(project)
    await session.commit()
    return project


@router.get("/{project_id}/items", response_model=list[ItemOut])
async def list_items(project_id: UUID, session: Session) -> Sequence[Item]:
    await found(session, Project, project_id)
    items = await session.scalars(select(Item).where(Item.project_id == project_id).order_by(Item.created_at, Item.id))
    return items.all()
