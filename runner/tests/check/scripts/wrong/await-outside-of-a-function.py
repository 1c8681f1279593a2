# expect: 4:1 error invalid-syntax `await`
import asyncio

await asyncio.sleep(1)
