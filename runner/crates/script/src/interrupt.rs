//! Stopping a script that calls nothing of the driver: a loop, or `time.sleep`.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustpython_vm::function::FuncArgs;
use rustpython_vm::signal::UserSignalSender;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

use crate::session::Session;

/// How often the interpreter is reminded: it forgets when another interpreter of the process has looked first.
const REMINDER: Duration = Duration::from_millis(50);
/// After so many reminders a script that has swallowed the exception gets it again.
const AGAIN: u32 = 40;

/// Has the script's main thread raise an exception as soon as the runner stops the test.
pub(crate) fn arm(session: &Arc<Session>, signals: UserSignalSender) {
    let kept = Arc::downgrade(session);
    session.driver().when_stopped(Box::new(move |aborted| {
        let remind = move || {
            for round in 0_u32.. {
                let Some(session) = kept.upgrade().filter(|session| !session.is_over()) else {
                    return;
                };
                let raises = round % AGAIN == 0;
                let aborted = aborted.clone();
                let signal = move |vm: &VirtualMachine| match raises {
                    true if session.is_running() => Err(session.exceptions.stopped(&aborted, vm)),
                    _ => Ok(()),
                };
                if signals.send(Box::new(signal)).is_err() {
                    return;
                }
                thread::sleep(REMINDER);
            }
        };
        // Without this thread the script ends with its next call of the driver.
        let _ = thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(remind);
    }));
}

/// Puts a `time.sleep` in place that ends when the runner stops the test.
pub(crate) fn replace_sleep(session: &Arc<Session>, vm: &VirtualMachine) -> PyResult<()> {
    let kept = Arc::clone(session);
    let sleep = move |arguments: FuncArgs, vm: &VirtualMachine| -> PyResult<()> {
        let [seconds] = arguments.args.as_slice() else {
            let count = arguments.args.len();
            let message = format!("sleep() takes exactly one argument ({count} given)");
            return Err(vm.new_type_error(message));
        };
        kept.sleep(duration(seconds, vm)?, vm)
    };
    let module = vm.import("time", 0)?;
    module.set_attr("sleep", vm.new_function("sleep", sleep), vm)
}

fn duration(seconds: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Duration> {
    let seconds = seconds.try_float(vm)?.to_f64();
    if seconds.is_nan() {
        return Err(vm.new_value_error("Invalid value NaN (not a number)"));
    }
    if seconds < 0.0 {
        return Err(vm.new_value_error("sleep length must be non-negative"));
    }
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| vm.new_overflow_error("timestamp too large to convert to C PyTime_t"))
}
