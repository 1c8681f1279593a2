machine.succeed("/nix/store/0c4rcfqn2ncb0bq4r4xd3qz0mgr0b0vv-python3-3.13.2/bin/python3 -c 'print(1)'")
machine.succeed("test -e /nix/store/pbxz1ql2v7nv44g9g1yh2nmkvlhv6x0n-source/nixos/modules/services/web-servers/nginx/default.nix && grep -q 'server_name' /nix/store/p4x5kbx0jp6dvf6rqxrkhr1nv3jy3qa5-nginx.conf && echo this line is far longer than any style guide would ever allow it to be, which is how commands in tests often are once paths of the store are in them")
drv = "/nix/store/6zzx1d1bb9w6xy9m4k4gkwz1d4ab8h9m-hello-2.12.1.drv"
if not drv.endswith(".drv"):
    raise Exception("odd")
machine.succeed(f"nix-store --realise {drv} --option substitute false")
machine.succeed(
    "ln -s /nix/store/w6i5c7qdgk1x3d5c9v4r5m8a0k2z7y1b-etc/etc/app /etc/app"
    " && readlink -f /etc/app"
    + " | grep w6i5c7qdgk1x3d5c9v4r5m8a0k2z7y1b"
)
