from uuid import UUID

from fastapi import APIRouter, HTTPException
from sqlalchemy.exc import IntegrityError

from app.db import Session
from app.lookup import found
from app.models import User
from app.schemas import NewUser, UserOut

router = APIRouter(prefix="/users", tags=["users"])


@router.post("", status_code=201, response_model=UserOut)
async def create_user(new: NewUser, session: Session) -> User:
    user = User(**new.model_dump())
    session.add(user)
    try:
        await session.commit()
    except IntegrityError as error:
        raise HTTPException(409, f"there is a user with the email {new.email}") from error
    return user


@router.get("/{user_id}", response_model=UserOut)
async def read_user(user_id: UUID, session: Session) -> User:
    return await found(session, User, user_id)
