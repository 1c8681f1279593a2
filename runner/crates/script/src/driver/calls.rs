//! What a script can ask of the driver.

use std::sync::Arc;

use rustpython_vm::function::FuncArgs;
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::{all_machines, creation, group, list, run, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::modules;
use crate::parallel;
use crate::retry::{self, Try};
use crate::steps::Step;
use crate::timeouts::Timeout;

pub(super) const LIFE: &[Function] = &[
    Function {
        name: "start_all",
        params: &[],
        returns: "None",
        doc: "Starts all machines at once, without waiting for them to boot.",
        call: |driver, _arguments, vm| {
            let session = &this(driver, vm)?.session;
            session.step(None, "start all VMs", vm, || {
                let machines = all_machines(driver, vm)?.into_iter();
                let starts: PyResult<_> = machines
                    .map(|machine| machine.get_attr("start", vm))
                    .collect();
                parallel::call(session, starts?, vm)?;
                Ok(vm.ctx.none())
            })
        },
    },
    Function {
        name: "join_all",
        params: &[],
        returns: "None",
        doc: "Waits until all machines have powered off.",
        call: |driver, _arguments, vm| {
            let session = &this(driver, vm)?.session;
            session.step(None, "wait for all VMs to finish", vm, || {
                for machine in all_machines(driver, vm)? {
                    vm.call_method(&machine, "wait_for_shutdown", ())?;
                }
                Ok(vm.ctx.none())
            })
        },
    },
    Function {
        name: "create_machine",
        params: &[
            Param::required("start_command", "str | dict[str, Any]"),
            Param::optional("name", "str | None", Literal::None).by_keyword(),
            Param::optional("keep_machine_state", "bool", Literal::Bool(false))
                .formerly("keep_vm_state")
                .by_keyword(),
        ],
        returns: "Machine",
        doc: "Makes a machine that a command of the host's shell starts, such as the start script of a NixOS machine; \
              it is off. Without a name, that is taken from the command (`run-NAME-vm`). \
              It is not in `machines`: start_all() does not start it. \
              The dictionary that drivers took until 2023 works, too.",
        call: creation::create_machine,
    },
];

pub(super) const CONTROL: &[Function] = &[
    Function {
        name: "test_script",
        params: &[],
        returns: "None",
        doc: "Runs the test script.",
        call: |driver, _arguments, vm| {
            run::test_script(driver, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "run_tests",
        params: &[],
        returns: "None",
        doc: "Runs the test script and has the machines that are up write their data to disk.",
        call: |driver, _arguments, vm| {
            run::run_tests(driver, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "test_symbols",
        params: &[],
        returns: "dict[str, Any]",
        doc: "The names that a script finds defined, with what they stand for.",
        call: |driver, _arguments, vm| {
            let names = vm.ctx.new_dict();
            run::define_symbols(driver, &names, vm)?;
            Ok(names.into())
        },
    },
    Function {
        name: "terminate_test",
        params: &[],
        returns: "None",
        doc: "Ends all machines at once and fails the test.",
        call: |driver, _arguments, vm| {
            for machine in all_machines(driver, vm)? {
                vm.call_method(&machine, "crash", ())?;
            }
            Err(this(driver, vm)?
                .session
                .failed("the script terminated the test".to_owned(), vm))
        },
    },
    Function {
        name: "subtest",
        params: &[Param::required("name", "str")],
        returns: "AbstractContextManager[None]",
        doc: "A context manager, and a decorator, that shows its block as a test of its own.",
        call: |driver, arguments, vm| {
            let name = arguments.text("name", vm)?;
            Ok(Step::subtest(&this(driver, vm)?.session, name, vm))
        },
    },
];

/// How long `retry` goes on that is not told otherwise.
const RETRY_SECONDS: i32 = 900;

pub(super) const WAITS: &[Function] = &[
    Function {
        name: "retry",
        params: &[
            Param::required("fn", "Callable[[bool], Any]"),
            Param::optional("timeout_seconds", "Duration | None", Literal::None),
            Param::optional("timeout", "Duration | None", Literal::None),
        ],
        returns: "None",
        doc: "Calls a function until it returns something true: at once, and then in intervals that grow from 20 ms to one second. \
              Its argument says whether this is the last try. The time-out may be given under either name; without one it is 900 seconds.",
        call: do_retry,
    },
    Function {
        name: "polling_condition",
        params: &[
            Param::optional("fun_", "Callable[[], Any] | None", Literal::None),
            Param::optional("seconds_interval", "Duration | None", Literal::None).by_keyword(),
            Param::optional("interval", "Duration | None", Literal::None).by_keyword(),
            Param::optional("description", "str | None", Literal::None).by_keyword(),
        ],
        returns: "Poll | Callable[[Callable[[], Any]], Poll]",
        doc: "Makes a condition of a function, as a decorator or by a call: it holds as long as the function returns something true, \
              or nothing, and raises nothing. In the block of `with condition:` it is checked during all waits, at most once in an \
              interval (2 seconds); when it does not hold, the test fails. `condition.wait()` waits until it holds.",
        call: polling_condition,
    },
    Function {
        name: "check_polling_conditions",
        params: &[],
        returns: "None",
        doc: "Checks the conditions whose blocks are entered and whose interval is over; machines do so during all waits.",
        call: |driver, _arguments, vm| {
            for condition in list(driver, "polling_conditions", vm)? {
                vm.call_method(&condition, "maybe_raise", ())?;
            }
            Ok(vm.ctx.none())
        },
    },
];

pub(super) const PARALLEL: &[Function] = &[
    Function {
        name: "parallel",
        params: &[Param::rest("functions", "Callable[[], Any]")],
        returns: "list[Any]",
        doc: "Calls functions at once, each on a thread of its own, waits for all of them, and returns their results in order. \
              When some of them fail, the first failure is raised, with the others as notes. \
              For instance: `parallel(lambda: a.wait_for_unit(\"x\"), lambda: b.wait_for_unit(\"y\"))`.",
        call: |driver, arguments, vm| {
            let session = &this(driver, vm)?.session;
            let results = parallel::call(session, arguments.rest().to_vec(), vm)?;
            Ok(vm.ctx.new_list(results).into())
        },
    },
    Function {
        name: "group",
        params: &[Param::rest("machines", "Machine")],
        returns: "Machines",
        doc: "A list of machines, like `machines`: a method of a machine that is called on it is called on all of them at once and \
              returns their results in order, as in `group(a, b).wait_for_unit(\"x\")`.",
        call: |_driver, arguments, vm| group(arguments.rest().to_vec(), vm),
    },
];

pub(super) const OUTPUT: &[Function] = &[
    Function {
        name: "serial_stdout_on",
        params: &[],
        returns: "None",
        doc: "Shows the lines of the serial consoles in the log.",
        call: |driver, _arguments, vm| show_consoles(driver, true, vm),
    },
    Function {
        name: "serial_stdout_off",
        params: &[],
        returns: "None",
        doc: "Does not show the lines of the serial consoles in the log.",
        call: |driver, _arguments, vm| show_consoles(driver, false, vm),
    },
    Function {
        name: "dump_machine_ssh",
        params: &[],
        returns: "None",
        doc: "Prints how to reach the machines by SSH: nothing, they cannot be reached from outside of the test.",
        call: |_driver, _arguments, vm| Ok(vm.ctx.none()),
    },
];

fn show_consoles(driver: &PyObject, on: bool, vm: &VirtualMachine) -> PyResult {
    this(driver, vm)?.session.driver().show_consoles(on);
    Ok(vm.ctx.none())
}

fn do_retry(driver: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = Arc::clone(&this(driver, vm)?.session);
    let given = ["timeout", "timeout_seconds"].map(|name| arguments.get(name));
    let timeout = match given.map(|value| (!vm.is_none(value)).then_some(value)) {
        [Some(_), Some(_)] => {
            return Err(vm.new_type_error(
                "retry() got both 'timeout' and 'timeout_seconds' arguments. Pass only 'timeout'",
            ));
        }
        [Some(timeout), None] => {
            if timeout.try_float(vm).is_ok() {
                session.warn_once(
                    "retry(timeout=…) with a number is deprecated: give a timedelta, or use timeout_seconds",
                );
            }
            Timeout::from_object(timeout, vm)?
        }
        [None, Some(seconds)] => Timeout::from_object(seconds, vm)?,
        [None, None] => Timeout::from_object(&vm.ctx.new_int(RETRY_SECONDS).into(), vm)?,
    };
    retry::until(&session, "", &timeout, vm, |last| {
        let result = arguments.get("fn").call((last,), vm)?;
        Ok(if result.try_to_bool(vm)? {
            Try::Done(())
        } else {
            Try::NotYet(String::new())
        })
    })?;
    Ok(vm.ctx.none())
}

fn polling_condition(driver: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let make = modules::import_from("test_driver.polling_condition", "make", vm)?;
    let given = ["fun_", "seconds_interval", "interval", "description"];
    let mut values: Vec<PyObjectRef> = vec![driver.to_owned()];
    values.extend(given.iter().map(|name| arguments.get(name).clone()));
    make.call(FuncArgs::from(values), vm)
}
