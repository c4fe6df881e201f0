from uuid import uuid4

from fastapi.testclient import TestClient


def create(api: TestClient, path: str, **body: str) -> dict[str, str]:
    answer = api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def create_user(api: TestClient, full_name: str) -> dict[str, str]:
    return create(api, "/users", email=f"{uuid4().hex}@example.com", full_name=full_name)


def test_it_is_healthy_when_the_database_answers(api: TestClient) -> None:
    assert api.get("/health").json() == {"status": "ok"}


def test_a_user_that_was_created_can_be_read(api: TestClient) -> None:
    user = create_user(api, "Ada Lovelace")
    assert user["full_name"] == "Ada Lovelace"
    assert api.get(f"/users/{user['id']}").json() == user


def test_an_email_belongs_to_one_user_however_it_is_written(api: TestClient) -> None:
    create(api, "/users", email="ada@example.com", full_name="Ada")
    assert api.post("/users", json={"email": "Ada@Example.com", "full_name": "Another Ada"}).status_code == 409


def test_a_user_that_does_not_exist_is_not_found(api: TestClient) -> None:
    answer = api.post("/projects", json={"owner_id": str(uuid4()), "name": "Engine"})
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("no user ")


def test_a_project_lists_its_own_items(api: TestClient) -> None:
    ada = create_user(api, "Ada")
    engine = create(api, "/projects", owner_id=ada["id"], name="Engine")
    item = create(api, "/items", owner_id=ada["id"], project_id=engine["id"], title="Note G")
    create(api, "/items", owner_id=ada["id"], title="Buy milk")
    assert api.get(f"/projects/{engine['id']}/items").json() == [item]


def test_the_owner_of_a_project_is_told_about_items_of_others_until_they_have_read_it(api: TestClient) -> None:
    ada, charles = create_user(api, "Ada"), create_user(api, "Charles")
    engine = create(api, "/projects", owner_id=charles["id"], name="Engine")
    create(api, "/items", owner_id=charles["id"], project_id=engine["id"], title="Mill")
    create(api, "/items", owner_id=ada["id"], project_id=engine["id"], title="Note G")

    unread = f"/users/{charles['id']}/notifications?unread=true"
    [notification] = api.get(unread).json()
    assert notification["body"] == "Ada added “Note G” to Engine"
    assert api.post(f"/notifications/{notification['id']}/read").json()["read_at"] is not None
    assert api.get(unread).json() == []
