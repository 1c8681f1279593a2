//! Guests of a few bytes, which try whether KVM runs them.

use crate::vm::architecture::Architecture;

/// A guest that ends QEMU.
pub(super) struct Probe {
    /// Arguments of QEMU that say on which board, and with what.
    pub(super) arguments: &'static [&'static str],
    /// What the processor begins with.
    pub(super) firmware: Vec<u8>,
    /// Status with which QEMU ends if the guest ran.
    pub(super) status: i32,
}

/// What the guest writes to the port of `isa-debug-exit`.
const VALUE: u8 = 0x2a;

impl Probe {
    pub(super) fn of(architecture: Architecture) -> Self {
        match architecture {
            Architecture::X86_64 => Self {
                arguments: &[
                    "-machine",
                    "q35",
                    "-device",
                    "isa-debug-exit,iobase=0x501,iosize=1",
                ],
                firmware: x86_firmware(),
                // So that device makes it.
                status: i32::from(VALUE) << 1 | 1,
            },
            Architecture::Aarch64 => Self {
                arguments: &["-machine", "virt,gic-version=max"],
                firmware: arm_firmware(),
                // Of a machine that was switched off.
                status: 0,
            },
        }
    }
}

/// Switches the machine off by PSCI, as Linux does. Words are little-endian.
fn arm_firmware() -> Vec<u8> {
    #[rustfmt::skip]
    const WORDS: [u32; 4] = [
        0x5280_0100, // mov w0, 8
        0x72b0_8000, // movk w0, 0x8400, lsl 16 (SYSTEM_OFF)
        0xd400_0002, // hvc 0
        0x1400_0000, // b .
    ];
    WORDS.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// 64 KiB that lie below 4 GiB, the processor beginning 16 bytes before their end in 16-bit mode.
///
/// Some hosts let KVM do nothing but interpret a guest, which goes well until an instruction that its interpreter does not
/// know; Linux has them. So the guest goes to 32-bit mode and uses one, if the processor says that it can.
fn x86_firmware() -> Vec<u8> {
    const SIZE: usize = 64 * 1024;
    const RESET_VECTOR: (usize, [u8; 3]) = (0xfff0, [0xe9, 0x0d, 0xff]); // jmp 0xff00
    #[rustfmt::skip]
    const REAL_MODE: (usize, [u8; 24]) = (0xff00, [
        0xfa,                                           // cli
        0x2e, 0x66, 0x0f, 0x01, 0x16, 0x50, 0xff,       // lgdtl cs:[0xff50]
        0x0f, 0x20, 0xc0,                               // mov eax, cr0
        0x0c, 0x01,                                     // or al, 1
        0x0f, 0x22, 0xc0,                               // mov cr0, eax
        0x66, 0xea, 0x20, 0xff, 0xff, 0xff, 0x08, 0x00, // jmp 8:0xffffff20
    ]);
    #[rustfmt::skip]
    const PROTECTED_MODE: (usize, [u8; 27]) = (0xff20, [
        0xb8, 0x07, 0x00, 0x00, 0x00, // mov eax, 7
        0x31, 0xc9,                   // xor ecx, ecx
        0x0f, 0xa2,                   // cpuid
        0xf6, 0xc3, 0x08,             // test bl, 8 (BMI1)
        0x74, 0x05,                   // jz over the next
        0xc4, 0xe2, 0x78, 0xf2, 0xc0, // andn eax, eax, eax
        0x66, 0xba, 0x01, 0x05,       // mov dx, 0x501
        0xb0, VALUE,                 // mov al, VALUE
        0xee,                         // out dx, al
        0xf4,                         // hlt
    ]);
    #[rustfmt::skip]
    const SEGMENTS: (usize, [u8; 32]) = (0xff50, [
        0x17, 0x00, 0x58, 0xff, 0xff, 0xff, 0, 0,       // limit and address of what follows
        0, 0, 0, 0, 0, 0, 0, 0,
        0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0,             // code: all 4 GiB
        0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0,             // data: all 4 GiB
    ]);
    let mut firmware = vec![0xf4; SIZE];
    let mut put = |at: usize, bytes: &[u8]| firmware[at..at + bytes.len()].copy_from_slice(bytes);
    put(RESET_VECTOR.0, &RESET_VECTOR.1);
    put(REAL_MODE.0, &REAL_MODE.1);
    put(PROTECTED_MODE.0, &PROTECTED_MODE.1);
    put(SEGMENTS.0, &SEGMENTS.1);
    firmware
}
