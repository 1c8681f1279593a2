# Folders of the host in the machines: the one that all share with the script, and one of a machine's own. Debian mounts
# its own `/tmp` over what was there; busybox mounts nothing, and reboots in a moment.
{ guests, vmTest }:
vmTest {
  name = "shared-dir";
  nodes = {
    debian = guests.debian {
      sharedDirectories.greetings = {
        source = ./greetings;
        target = "/srv/greetings";
        readOnly = true;
      };
    };
    small = guests.busybox { memory = 256; };
  };
  testScript = ''
    import os

    small.start(allow_reboot=True)
    debian.start()
    shared = debian.shared_dir
    t.assertEqual(shared, small.shared_dir)

    with subtest("what the host writes is seen in every machine"):
        (shared / "host.txt").write_text("from the host\n")
        for machine in machines:
            t.assertEqual(machine.succeed("cat /tmp/shared/host.txt"), "from the host\n")

    with subtest("what a machine writes is seen on the host and in the other machine"):
        debian.succeed("mkdir /tmp/shared/folder; echo from debian > /tmp/shared/folder/debian.txt")
        t.assertEqual((shared / "folder" / "debian.txt").read_text(), "from debian\n")
        t.assertEqual(small.succeed("cat /tmp/shared/folder/debian.txt"), "from debian\n")
        small.succeed("mv /tmp/shared/folder/debian.txt /tmp/shared/moved.txt; rmdir /tmp/shared/folder")
        debian.fail("test -e /tmp/shared/folder")
        t.assertEqual(sorted(os.listdir(shared)), ["host.txt", "moved.txt"])

    with subtest("every change is seen at once"):
        for i in range(10):
            (shared / "host.txt").write_text(f"{i}\n")
            t.assertEqual(debian.succeed("cat /tmp/shared/host.txt"), f"{i}\n")
            small.succeed(f"echo {i} > /tmp/shared/small.txt")
            t.assertEqual(debian.succeed("cat /tmp/shared/small.txt"), f"{i}\n")

    with subtest("megabytes arrive as they were sent"):
        data = os.urandom(1 << 20) * 5 + b"end"
        (shared / "large").write_bytes(data)
        debian.succeed("cp /tmp/shared/large /root/large; cp /root/large /tmp/shared/back; cmp /root/large /tmp/shared/back")
        t.assertTrue((shared / "back").read_bytes() == data)

    with subtest("everything belongs to the machine's root, with the modes that it set"):
        debian.succeed("install -m 0640 -o daemon -g daemon /dev/null /tmp/shared/owned")
        t.assertEqual(debian.succeed("stat -c '%a %u:%g' /tmp/shared/owned"), "640 0:0\n")
        t.assertEqual((shared / "owned").stat().st_mode & 0o7777, 0o640)
        t.assertEqual((shared / "owned").stat().st_uid, os.getuid())

    with subtest("links do not lead out of the folder"):
        secret = driver.out_dir / "secret"
        secret.write_text("secret\n")
        debian.succeed(f"ln -s {secret} /tmp/shared/link; ln -s ../../.. /tmp/shared/up")
        t.assertEqual((shared / "link").read_text(), "secret\n")
        debian.fail("cat /tmp/shared/link")
        debian.fail(f"cat /tmp/shared/up{secret}")
        t.assertEqual(debian.succeed("readlink /tmp/shared/link").strip(), str(secret))
        # The machine looks for the target in its own root, and finds its own there.
        debian.succeed(f"mkdir -p {driver.out_dir}; echo own > {secret}")
        t.assertEqual(debian.succeed("cat /tmp/shared/link"), "own\n")
        t.assertEqual(secret.read_text(), "secret\n")
        secret.unlink()

    with subtest("a folder of one machine, read only whatever its root does"):
        t.assertEqual(debian.succeed("cat /srv/greetings/hello.txt"), "Hello from the store\n")
        debian.fail("touch /srv/greetings/new")
        debian.succeed("mount -o remount,rw /srv/greetings")
        t.assertIn("Read-only", debian.fail("touch /srv/greetings/new 2>&1"))
        small.fail("test -e /srv/greetings")

    with subtest("it is there again after a reboot"):
        small.reboot()
        t.assertEqual(small.succeed("cat /tmp/shared/host.txt"), "9\n")

    with subtest("it does not hold up the end"):
        debian.wait_for_unit("multi-user.target")
        t.assertEqual(debian.succeed("systemctl list-units --failed --no-legend"), "")
        debian.shutdown()
  '';
}
