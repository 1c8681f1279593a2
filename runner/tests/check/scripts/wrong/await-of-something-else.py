# expect: 6:11 error invalid-await `str`
import asyncio


async def main():
    await machine.succeed("true")


asyncio.run(main())
