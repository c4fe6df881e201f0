from fastapi import APIRouter

from app.db import Session
from app.lookup import found
from app.models import Item, Notification, Project, User
from app.schemas import ItemOut, NewItem

router = APIRouter(prefix="/items", tags=["items"])


@router.post("", status_code=201, response_model=ItemOut)
async def create_item(new: NewItem, session: Session) -> Item:
    """Create an item; notifies the owner of its project if someone else creates it."""
    author = await found(session, User, new.owner_id)
    item = Item(**new.model_dump())
    session.add(item)
    if new.project_id is not None:
        project = await found(session, Project, new.project_id)
        if project.owner_id != author.id:
            body = f"{author.full_name} added “{item.title}” to {project.name}"
            session.add(Notification(user_id=project.owner_id, body=body))
    await session.commit()
    return item
