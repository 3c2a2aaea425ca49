"""An MCP client that is told what to do by lines of JSON, for either generation of the PyPI package `mcp`.

The first line says where the server is: {"url", "token"} or {"command", "env"}, and what the person at the client
answers to a form ("form"; null: there is no person), and whether the client speaks of tasks ("tasks"). Each line after it is one thing to do; each answer is one line:
{"ok": …} or {"error": {"code", "message"}}, before it any number of {"progress": …}.
"""

import asyncio
import importlib.metadata
import json
import sys
from contextlib import AsyncExitStack

from mcp import StdioServerParameters

LATER = importlib.metadata.version("mcp").startswith("2.")


def say(**line):
    print(json.dumps(line), flush=True)


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def form(answer):
    if LATER:
        from mcp_types import ElicitResult
    else:
        from mcp.types import ElicitResult

    async def fill_in(_context, asked):
        say(asked=plain(asked))
        return ElicitResult(action="accept", content=answer) if answer else ElicitResult(action="decline")

    return fill_in


def tasks():
    """The protocol's extension for long work: a call that became a task is asked about until it has ended."""
    from typing import Literal

    import mcp_types as types
    from mcp.client.extension import ClientExtension, ResultClaim

    class Created(types.Result):
        result_type: Literal["task"]
        task_id: str

    class Get(types.Request[dict, Literal["tasks/get"]]):
        method: Literal["tasks/get"] = "tasks/get"
        name_param = "taskId"

    class Task(types.Result):
        status: str
        status_message: str | None = None
        poll_interval_ms: int
        result: dict | None = None

    async def follow(created, context):
        for number in range(1, 90):
            task = await context.session.send_request(Get(params={"taskId": created.task_id}), Task)
            say(progress=number, message=task.status_message)
            if task.status != "working":
                return types.CallToolResult.model_validate(task.result)
            await asyncio.sleep(task.poll_interval_ms / 1000)
        raise TimeoutError(created.task_id)

    class Tasks(ClientExtension):
        identifier = "io.modelcontextprotocol/tasks"

        def claims(self):
            return [ResultClaim(result_type="task", model=Created, resolve=follow)]

    return [Tasks()]


async def connected(stack, where):
    """The session with a server, and the protocol's version."""
    person = form(where["form"]) if "form" in where else None
    if "command" in where:
        program, *args = where["command"]
        server = StdioServerParameters(command=program, args=args, env=where["env"])
    else:
        headers = {"Authorization": "Bearer " + where["token"]} if where.get("token") else {}
    if LATER:
        from mcp import Client

        if "url" in where:
            import httpx2
            from mcp.client.streamable_http import streamable_http_client

            web = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=90))
            server = streamable_http_client(where["url"], http_client=web)
        extensions = tasks() if where.get("tasks") else None
        client = Client(server, elicitation_callback=person, mode=where.get("mode", "auto"), extensions=extensions)
        client = await stack.enter_async_context(client)
        return client, client.protocol_version
    from mcp import ClientSession, stdio_client
    from mcp.client.streamable_http import streamablehttp_client

    pipes = streamablehttp_client(where["url"], headers=headers) if "url" in where else stdio_client(server)
    read, write, *_ = await stack.enter_async_context(pipes)
    session = await stack.enter_async_context(ClientSession(read, write, elicitation_callback=person))
    return session, (await session.initialize()).protocolVersion


async def told(progress, total, message):
    say(progress=progress, message=message)


def reference(wanted):
    if LATER:
        import mcp_types as types
    else:
        import mcp.types as types
    if "prompt" in wanted:
        return types.PromptReference(type="ref/prompt", name=wanted["prompt"])
    return types.ResourceTemplateReference(type="ref/resource", uri=wanted["template"])


async def do(client, wanted):
    match wanted.pop("do"):
        case "list_tools":
            return await client.list_tools()
        case "call":
            progress = told if wanted.pop("progress", False) else None
            return await client.call_tool(wanted["name"], wanted.get("arguments", {}), progress_callback=progress)
        case "list_resources":
            return await client.list_resources(cursor=wanted.get("cursor"))
        case "templates":
            return await client.list_resource_templates()
        case "read":
            return await client.read_resource(wanted["uri"])
        case "list_prompts":
            return await client.list_prompts()
        case "prompt":
            return await client.get_prompt(wanted["name"], wanted.get("arguments", {}))
        case "complete":
            return await client.complete(reference(wanted), {"name": wanted["name"], "value": wanted["value"]})
        case unknown:
            raise ValueError(unknown)


async def main():
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with AsyncExitStack() as stack:
        client, version = await connected(stack, json.loads(await lines.readline()))
        say(ok=version)
        while line := await lines.readline():
            try:
                say(ok=plain(await do(client, json.loads(line))))
            except Exception as error:
                known = getattr(error, "error", error)
                say(error={"code": getattr(known, "code", None), "message": getattr(known, "message", str(error))})


asyncio.run(main())
