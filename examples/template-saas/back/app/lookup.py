from typing import TypeVar
from uuid import UUID

from fastapi import HTTPException
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Base

Model = TypeVar("Model", bound=Base)


async def found(session: AsyncSession, model: type[Model], id: UUID) -> Model:
    """The row with this id, or a 404 that says what is missing."""
    row = await session.get(model, id)
    if row is None:
        raise HTTPException(404, f"no {model.__name__.lower()} {id}")
    return row
