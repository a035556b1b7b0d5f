"""What the benches run on DBOS: a workflow of one step behind FastAPI, its state in PostgreSQL."""

import os

import uvicorn
from dbos import DBOS, SetWorkflowID
from fastapi import FastAPI

app = FastAPI()
DBOS(
    config={
        "name": "bench",
        "system_database_url": os.environ["BENCH_DATABASE"],
        "log_level": "ERROR",
        "enable_otlp": False,
        "run_admin_server": False,
    }
)


@DBOS.step()
async def repeat(prompt: str) -> str:
    return prompt


@DBOS.workflow()
async def echo(prompt: str) -> str:
    return await repeat(prompt)


@app.post("/echo")
async def run_echo(task: dict) -> dict:
    with SetWorkflowID(task["id"]):
        handle = await DBOS.start_workflow_async(echo, task["prompt"])
    return {"text": await handle.get_result()}


if __name__ == "__main__":
    DBOS.launch()
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), log_level="error", access_log=False)
