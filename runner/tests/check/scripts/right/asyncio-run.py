# machines: server, client
import asyncio


async def boot(node: Machine) -> str:
    await asyncio.to_thread(node.wait_for_unit, "multi-user.target")
    return node.name


async def ticks(limit):
    for number in range(limit):
        yield number
        await asyncio.sleep(0)


class Session:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *args):
        pass


async def main():
    names = await asyncio.gather(boot(server), boot(client))
    print(names)
    task = asyncio.create_task(boot(server))
    async for number in ticks(3):
        print(number)
    async with Session() as session:
        print(session, [n async for n in ticks(2)])
    return await asyncio.wait_for(task, timeout=60)


assert asyncio.run(main()) == "server"
