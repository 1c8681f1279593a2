# expect: 6:5 warning unused-awaitable
import asyncio


async def main():
    asyncio.sleep(1)


asyncio.run(main())
