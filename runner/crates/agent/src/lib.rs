//! The guest's side: the first process of the runner's initrd, and the agent that stays.
//!
//! One static program in three roles. Started by the kernel as `/init`, it [boots](boot) the guest: modules, devices,
//! root, network, and at last the guest's own init in its place. Before that it starts itself once more, as a process
//! that outlives the hand-over and [serves](serve) the runner's requests over a virtio-serial port until the machine
//! goes off. Where the guest has an initrd of its own, that process [follows](boot::initrd) the guest into its root. Into a
//! guest that it did not boot it comes through a root shell, and [joins](join) it.
//!
//! - [`boot`]: from the kernel's hand to the guest's init;
//! - [`join`]: from a shell's hand to the agent that stays;
//! - [`serve`]: the conversation with the runner.

pub mod boot;
pub mod join;
pub mod serve;

#[expect(unsafe_code, reason = "the system call has no safe form anywhere")]
mod bpf;
#[expect(unsafe_code, reason = "controls of devices have no safe form")]
mod ioctl;
mod kmsg;
mod process;
