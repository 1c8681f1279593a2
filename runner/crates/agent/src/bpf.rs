//! Programs for the kernel's own virtual machine (BPF): the few calls that are needed to attach one to a tracepoint.
//!
//! Layouts and numbers: `linux/bpf.h`.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Commands of the system call.
const MAP_CREATE: libc::c_int = 0;
const PROG_LOAD: libc::c_int = 5;
const RAW_TRACEPOINT_OPEN: libc::c_int = 17;

/// A map that is a buffer, readable while there is something in it.
const MAP_TYPE_RINGBUF: u32 = 27;

/// A program that gets the arguments of a tracepoint, each as 64 bits.
const PROG_TYPE_RAW_TRACEPOINT: u32 = 17;

/// Terms under which this program's own code is given; the kernel asks.
const LICENCE: &CStr = c"Dual MIT/GPL";

#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
}

#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
}

#[repr(C)]
struct RawTracepointOpen {
    name: u64,
    prog_fd: u32,
    flags: u32,
}

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Instruction {
    operation: u8,
    /// Source in the upper half, destination in the lower one.
    registers: u8,
    offset: i16,
    immediate: i32,
}

impl Instruction {
    pub(crate) const fn new(
        operation: u8,
        (destination, source): (u8, u8),
        offset: i16,
        immediate: i32,
    ) -> Self {
        Self {
            operation,
            registers: source << 4 | destination,
            offset,
            immediate,
        }
    }
}

/// A buffer of so many bytes, a power of two and at least a page.
pub(crate) fn ring_buffer(bytes: u32) -> io::Result<OwnedFd> {
    let attributes = MapCreate {
        map_type: MAP_TYPE_RINGBUF,
        key_size: 0,
        value_size: 0,
        max_entries: bytes,
    };
    // SAFETY: the attributes are those of the command and point to nothing.
    unsafe { call(MAP_CREATE, &attributes) }
}

/// Loads a program.
pub(crate) fn load(instructions: &[Instruction]) -> io::Result<OwnedFd> {
    let attributes = ProgLoad {
        prog_type: PROG_TYPE_RAW_TRACEPOINT,
        insn_cnt: u32::try_from(instructions.len()).map_err(io::Error::other)?,
        insns: instructions.as_ptr().addr() as u64,
        license: LICENCE.as_ptr().addr() as u64,
    };
    // SAFETY: the attributes are those of the command, and point to as many instructions as they say and to a text, both of
    // which live until the kernel has copied them.
    unsafe { call(PROG_LOAD, &attributes) }
}

/// Has a program run whenever the tracepoint is passed, until the result is dropped.
pub(crate) fn attach(tracepoint: &CStr, program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let attributes = RawTracepointOpen {
        name: tracepoint.as_ptr().addr() as u64,
        prog_fd: program.as_raw_fd().cast_unsigned(),
        flags: 0,
    };
    // SAFETY: the attributes are those of the command, and point to a text that lives until the kernel has copied it.
    unsafe { call(RAW_TRACEPOINT_OPEN, &attributes) }
}

/// Makes the system call, which gives a descriptor.
///
/// # Safety
/// The attributes must be those of the command, and what they point to must be what the command expects.
unsafe fn call<T>(command: libc::c_int, attributes: &T) -> io::Result<OwnedFd> {
    let attributes = std::ptr::from_ref(attributes);
    // SAFETY: the kernel reads the attributes, as far as their size says, and whatever the caller has answered for.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size_of::<T>()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let descriptor = i32::try_from(result).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made it, for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
