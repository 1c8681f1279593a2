# expect: 6:5 error invalid-syntax `await`
import asyncio


def main():
    await asyncio.sleep(1)


main()
