from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import func, select

from app.db import Session
from app.lookup import found
from app.models import Notification, User
from app.schemas import NotificationOut

router = APIRouter(tags=["notifications"])


@router.get("/users/{user_id}/notifications", response_model=list[NotificationOut])
async def list_notifications(user_id: UUID, session: Session, unread: bool = False) -> Sequence[Notification]:
    """Notifications of a user, newest first."""
    await found(session, User, user_id)
    query = select(Notification).where(Notification.user_id == user_id).order_by(Notification.created_at.desc())
    if unread:
        query = query.where(Notification.read_at.is_(None))
    return (await session.scalars(query)).all()


@router.post("/notifications/{notification_id}/read", response_model=NotificationOut)
async def read_notification(notification_id: UUID, session: Session) -> Notification:
    notification = await found(session, Notification, notification_id)
    if notification.read_at is None:
        notification.read_at = func.now()
        await session.commit()
        await session.refresh(notification)
    return notification
