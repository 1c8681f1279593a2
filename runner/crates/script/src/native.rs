//! The module `_vmtest`: what the Python parts of the driver need of its native ones.

use std::sync::Arc;

use rustpython_vm::builtins::{PyBaseExceptionRef, PyDictRef};
use rustpython_vm::class::StaticType;
use rustpython_vm::function::FuncArgs;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

use crate::debug::Debug;
use crate::driver::Driver;
use crate::log::Log;
use crate::machine::{self, Machine};
use crate::retry::{self, Pace, Try};
use crate::session::Session;
use crate::snapshot::Snapshot;
use crate::timeouts::Timeout;
use crate::vlan::Vlan;
use crate::{parallel, symbols, traceback};

/// Makes it importable.
pub(crate) fn define(session: &Arc<Session>, vm: &VirtualMachine) -> PyResult<()> {
    let names = vm.ctx.new_dict();
    let set = |name: &str, value: PyObjectRef| names.set_item(name, value, vm);
    let exceptions = &session.exceptions;
    set(
        "TestScriptError",
        exceptions.test_script_error.clone().into(),
    )?;
    set(
        "RequestedAssertionFailed",
        exceptions.assertion.clone().into(),
    )?;
    set("MachineError", exceptions.machine.clone().into())?;
    set("PollingConditionError", exceptions.polling.clone().into())?;
    set("Machine", Machine::static_type().to_owned().into())?;
    set("Driver", Driver::static_type().to_owned().into())?;
    set("Logger", Log::static_type().to_owned().into())?;
    set("VLan", Vlan::static_type().to_owned().into())?;
    set("Snapshot", Snapshot::static_type().to_owned().into())?;
    set("Debug", Debug::static_type().to_owned().into())?;

    set(
        "QMPSession",
        machine::QmpSession::static_type().to_owned().into(),
    )?;

    let kept = Arc::clone(session);
    let started = session.driver().now();
    let now = move || {
        kept.driver()
            .now()
            .saturating_duration_since(started)
            .as_secs_f64()
    };
    set("now", vm.new_function("now", now).into())?;

    set(
        "char_to_key",
        vm.new_function("char_to_key", char_to_key).into(),
    )?;

    let kept = Arc::clone(session);
    let warn_once = move |text: String| kept.warn_once(&text);
    set("warn_once", vm.new_function("warn_once", warn_once).into())?;

    let kept = Arc::clone(session);
    let describe = move |exception: PyBaseExceptionRef, vm: &VirtualMachine| {
        traceback::brief(&exception, &kept, vm)
    };
    set("describe", vm.new_function("describe", describe).into())?;

    let kept = Arc::clone(session);
    let retry = move |arguments: FuncArgs, vm: &VirtualMachine| retry_every(&kept, &arguments, vm);
    set("retry", vm.new_function("retry", retry).into())?;

    let pythonize = |name: String| symbols::variable_name(&name);
    set(
        "pythonize_name",
        vm.new_function("pythonize_name", pythonize).into(),
    )?;

    let kept = Arc::clone(session);
    let parallel = move |functions: FuncArgs, vm: &VirtualMachine| -> PyResult {
        let results = parallel::call(&kept, functions.args, vm)?;
        Ok(vm.ctx.new_list(results).into())
    };
    set("parallel", vm.new_function("parallel", parallel).into())?;

    let module = vm.new_module("_vmtest", names, None);
    let modules = vm.sys_module.get_attr("modules", vm)?;
    modules.set_item("_vmtest", module.into(), vm)
}

/// `retry(function, timeout, interval)`: with an interval that does not grow.
fn retry_every(session: &Session, arguments: &FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
    let [function, timeout, interval] = arguments.args.as_slice() else {
        return Err(vm.new_type_error("expected a function, a time-out and an interval"));
    };
    let timeout = Timeout::from_object(timeout, vm)?;
    let interval = Timeout::from_object(interval, vm)?;
    let pace = interval.limit.map_or(Pace::Growing, Pace::Every);
    retry::until_paced(session, "", &timeout, pace, vm, |last| {
        Ok(if function.call((last,), vm)?.try_to_bool(vm)? {
            Try::Done(())
        } else {
            Try::NotYet(String::new())
        })
    })
}

/// The characters whose keys have other names than they.
fn char_to_key(vm: &VirtualMachine) -> PyResult<PyDictRef> {
    let keys = vm.ctx.new_dict();
    for c in (0..128_u8).map(char::from) {
        let character = c.to_string();
        let key = machine::key_of(&character);
        if key != character {
            keys.set_item(character.as_str(), vm.ctx.new_str(&*key).into(), vm)?;
        }
    }
    Ok(keys)
}
