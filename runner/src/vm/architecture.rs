//! What differs between machines of one architecture and another: the board, its processor, and what stands on it.

use crate::vm::accel::Accelerator;

/// The architecture of machines. It is the runner's own: nothing else could run on KVM, and Nix builds a test on a machine of its
/// system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

impl Architecture {
    /// The one that this runner is made for.
    pub const OWN: Self = if cfg!(target_arch = "aarch64") {
        Self::Aarch64
    } else {
        Self::X86_64
    };

    /// Its machines as Nix calls them.
    #[must_use]
    pub const fn system(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-linux",
            Self::Aarch64 => "aarch64-linux",
        }
    }

    /// QEMU's board. The interrupt controller of ARM's is the newest that the host can have in a guest: that of QEMU's default knows
    /// eight processors.
    pub(super) const fn board(self) -> &'static str {
        match self {
            Self::X86_64 => "q35",
            Self::Aarch64 => "virt,gic-version=max",
        }
    }

    /// QEMU's processor: the host's own, or all that QEMU can emulate but for what is slow.
    ///
    /// On x86 these are the promises that string instructions on bytes are fast: QEMU goes byte by byte, and a kernel that believes
    /// them copies and clears memory at less than half the speed that words have. On ARM it is the cipher that signs pointers: in
    /// its place is one of QEMU's own.
    pub(super) const fn processor(self, accelerator: Accelerator) -> &'static str {
        match (self, accelerator) {
            (_, Accelerator::Kvm) => "host",
            (Self::X86_64, Accelerator::Tcg) => "max,-erms,-fsrm",
            (Self::Aarch64, Accelerator::Tcg) => "max,pauth-impdef=on",
        }
    }

    /// The serial console as the guest's kernel calls it.
    pub(super) const fn console(self) -> &'static str {
        match self {
            Self::X86_64 => "ttyS0",
            Self::Aarch64 => "ttyAMA0",
        }
    }

    /// A screen, and a keyboard where the board has none. That of x86 is not a device: options that come later can ask for another,
    /// or for none.
    pub(super) const fn screen(self) -> &'static [&'static str] {
        match self {
            Self::X86_64 => &["-vga", "std"],
            Self::Aarch64 => &[
                "-device",
                "virtio-gpu-pci",
                "-device",
                "virtio-keyboard-pci",
            ],
        }
    }

    /// Parameters of a kernel that is emulated.
    pub(super) const fn emulated_kernel(self) -> &'static [&'static str] {
        match self {
            // On a busy host ticks of the emulated timer come too late for the kernel's test of them, and it panics.
            Self::X86_64 => &["no_timer_check"],
            Self::Aarch64 => &[],
        }
    }
}
