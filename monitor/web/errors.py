"""Every error of the pages and the API is JSON: ``{"error": {"message": ...}}``, and says nothing of our inside."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from monitor.errors import FallbackdError
from monitor.web.mistakes import sentences


class ErrorText(BaseModel):
    message: str
    run: str | None = None


class ErrorView(BaseModel):
    """``run`` is set where a run that is under way is the cause."""

    error: ErrorText


def refusal(
    status: int, message: str, *, run: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    content = ErrorView(error=ErrorText(message=message, run=run)).model_dump(exclude_none=True)
    return JSONResponse(content, status_code=status, headers=dict(headers or {}))


def register(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _bad_input)
    app.add_exception_handler(FallbackdError, _trouble)
    app.add_exception_handler(Exception, _bug)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette hands over what was registered; for the types
    message = error.detail
    if error.status_code == 404 and message == "Not Found":
        message = f"there is no {request.url.path}"
    elif error.status_code == 405:
        message = f"{request.url.path} does not take {request.method}"
    return refusal(error.status_code, message, headers=error.headers)


async def _bad_input(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    return refusal(400, sentences(request, error))


async def _trouble(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - Starlette's signature
    return refusal(503, str(error))


async def _bug(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - Starlette's signature
    return refusal(500, "fallbackd itself failed here; its log says how")
