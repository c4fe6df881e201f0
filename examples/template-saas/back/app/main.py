from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text

from app.db import Session, engine
from app.routers import items, notifications, projects, users


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Template SaaS", lifespan=lifespan)
for module in (users, projects, items, notifications):
    app.include_router(module.router)


@app.get("/health", tags=["health"])
async def health(session: Session) -> dict[str, str]:
    """Answers as soon as the database does."""
    await session.execute(text("SELECT 1"))
    return {"status": "ok"}
