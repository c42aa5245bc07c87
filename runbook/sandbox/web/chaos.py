"""Show, inject and clear faults."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runbook.sandbox.faults import FaultError, Faults
from runbook.sandbox.faults.collection import available, summaries
from runbook.sandbox.web.reading import Refusal, answer, body_of, invalid

PATH = "/api/v1/admin/chaos"


def routes(faults: Faults) -> list[Route]:
    """Everything under /api/v1/admin/chaos."""

    def document() -> Response:
        return answer({"active": faults.active(), "available": sorted(available()), "what": summaries()})

    async def show(_: Request) -> Response:
        return document()

    async def change(request: Request) -> Response:
        name = request.path_params["fault"]
        try:
            if request.method == "POST":
                await faults.inject(name, await body_of(request))
            elif request.method == "DELETE":
                await faults.clear(name)
            else:
                available()[name]
        except KeyError:
            known = ", ".join(sorted(available()))
            raise Refusal(404, "FAULT_NOT_FOUND", f"no fault is called {name!r}", f"one of: {known}") from None
        except FaultError as error:
            raise invalid(str(error)) from None
        return document()

    return [Route(PATH, show), Route(PATH + "/{fault}", change, methods=["GET", "POST", "DELETE"])]
