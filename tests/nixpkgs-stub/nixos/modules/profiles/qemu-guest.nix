# Drivers of QEMU's devices.
{
  boot.initrd = {
    availableKernelModules = [
      "9p"
      "9pnet_virtio"
      "virtio_blk"
      "virtio_mmio"
      "virtio_net"
      "virtio_pci"
      "virtio_scsi"
    ];
    kernelModules = [
      "virtio_balloon"
      "virtio_console"
      "virtio_gpu"
      "virtio_rng"
    ];
  };
}
