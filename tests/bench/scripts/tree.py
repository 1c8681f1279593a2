# Makes a tree of about so many `gib`: for each 12 files of 64 MiB, and 32000 of 8 KiB in 32 folders. Nothing in it can be
# compressed.
import os

large = driver.out_dir / "large"
large.mkdir()
for number in range(12 * gib):
    (large / str(number)).write_bytes(os.urandom(64 << 20))

noise = os.urandom((8 << 10) + 1000)
for folder in range(32 * gib):
    small = driver.out_dir / "small" / str(folder)
    small.mkdir(parents=True)
    start = os.urandom(8)
    for number in range(1000):
        (small / str(number)).write_bytes(start + noise[number : number + (8 << 10) - len(start)])
