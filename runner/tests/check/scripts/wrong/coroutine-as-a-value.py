# expect: 10:11 error unsupported-operator
import asyncio


async def count() -> int:
    return 3


async def main():
    print(count() + 1)


asyncio.run(main())
