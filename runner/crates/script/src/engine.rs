//! One run of a script, in an interpreter of its own.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rustpython::{InterpreterBuilder, InterpreterBuilderExt};
use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::class::PyClassImpl;
use rustpython_vm::function::OptionalArg;
use rustpython_vm::signal::user_signal_channel;
use rustpython_vm::{AsObject, PyObjectRef, PyRef, PyResult, Settings, VirtualMachine};

use crate::backend;
use crate::driver::{Driver, interact, test_script};
use crate::event::Stream;
use crate::failure::{Failure, FailureKind};
use crate::output::{self, Output};
use crate::session::Session;
use crate::{extensions, interrupt, traceback};

/// Enough for Python's own limit of 1000 nested calls, with room for what a call in the standard library takes.
const STACK_BYTES: usize = 256 << 20;

/// The same for each thread that a script starts; what is not used costs nothing.
const THREAD_STACK_BYTES: usize = 64 << 20;

/// A test script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What tracebacks call its file, such as `testScript`.
    pub name: String,
    /// The program.
    pub text: String,
    /// Where more modules can be imported from: folders of them, or prefixes with a `lib/python3.*/site-packages`.
    pub python_path: Vec<PathBuf>,
    /// Whether it is run, or somebody is asked what to run.
    pub mode: Mode,
    /// Whether a subtest that fails does not end it: what follows the subtest is run, and the script has failed at its end.
    pub keep_going: bool,
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The script.
    Script,
    /// What somebody writes at a prompt, where `test_script()` runs the script.
    Interactive,
}

/// Runs a script to its end, on a thread of its own, and waits for the threads that it started.
///
/// The driver may be kept until the process ends, since a script that failed can leave threads behind; nothing of them
/// reaches it once this has returned.
///
/// # Errors
/// How the test failed.
pub fn run(script: &Script, driver: Arc<dyn backend::Driver>) -> Result<(), Failure> {
    let script = script.clone();
    let thread = thread::Builder::new()
        .name("script".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || run_here(&script, driver))
        .map_err(|error| broken(format!("cannot start the script's thread: {error}")))?;
    thread
        .join()
        .unwrap_or_else(|panic| Err(broken(describe_panic(&*panic))))
}

fn run_here(script: &Script, driver: Arc<dyn backend::Driver>) -> Result<(), Failure> {
    let (signals, receiver) = user_signal_channel();
    let interpreter = InterpreterBuilder::new()
        .settings(settings())
        .init_stdlib()
        .init_hook(|vm| vm.set_user_signal_channel(receiver))
        .interpreter();
    let result = interpreter.enter(|vm| {
        let run = Run::prepare(script, driver, vm)
            .map_err(|exception| traceback::failure(&exception, script, None, vm))?;
        interrupt::arm(&run.session, signals);
        let result = run.run(vm);
        let result =
            result.map_err(|exception| traceback::in_session(&exception, &run.session, vm));
        // The script came to its end, and still it has failed.
        let failure = result.and_then(|()| run.session.first_failure().map_or(Ok(()), Err));
        run.stdout.finish();
        run.stderr.finish();
        run.session.end();
        failure
    });
    // Threads that the script left behind still use it.
    std::mem::forget(interpreter);
    result
}

pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.isolated = true;
    settings.ignore_environment = true;
    settings.import_site = false;
    settings.user_site_directory = false;
    settings.safe_path = true;
    settings.write_bytecode = false;
    settings.install_signal_handlers = false;
    // Otherwise the encoding is ASCII, whatever the locale says.
    settings.utf8_mode = 1;
    settings
}

/// What one run needs, ready to go.
struct Run {
    session: Arc<Session>,
    driver: PyObjectRef,
    stdout: PyRef<Output>,
    stderr: PyRef<Output>,
}

impl Run {
    fn prepare(
        script: &Script,
        driver: Arc<dyn backend::Driver>,
        vm: &VirtualMachine,
    ) -> PyResult<Self> {
        let session = Session::new(driver, script, vm)?;
        Output::make_static_type();
        output::Bytes::make_static_type();
        let stdout = Output::new(&session, Stream::Stdout, vm);
        let stderr = Output::new(&session, Stream::Stderr, vm);
        // A prompt is not a line: it belongs to the terminal.
        if script.mode == Mode::Script {
            for name in ["stdout", "__stdout__"] {
                vm.sys_module.set_attr(name, stdout.clone(), vm)?;
            }
            for name in ["stderr", "__stderr__"] {
                vm.sys_module.set_attr(name, stderr.clone(), vm)?;
            }
        }
        extensions::set_path(&script.python_path, vm)?;
        interrupt::replace_sleep(&session, vm)?;
        vm.state.stacksize.store(THREAD_STACK_BYTES);
        for name in ["quit", "exit"] {
            vm.builtins
                .set_attr(name, vm.new_function(name, quit), vm)?;
        }
        let driver = Driver::object(&session, vm)?;
        tell_output(&session, vm)?;
        Ok(Self {
            session,
            driver,
            stdout,
            stderr,
        })
    }

    fn run(&self, vm: &VirtualMachine) -> PyResult<()> {
        let run = match self.session.script().mode {
            Mode::Script => test_script,
            Mode::Interactive => interact,
        };
        match run(&self.driver, vm) {
            Err(exception) if is_plain_exit(&exception, vm) => {}
            result => result?,
        }
        wait_for_threads(vm)?;
        let atexit = vm.import("atexit", 0)?;
        vm.call_method(&atexit, "_run_exitfuncs", ()).map(drop)
    }
}

/// Has the environment name the test's output, as that of a build does.
fn tell_output(session: &Session, vm: &VirtualMachine) -> PyResult<()> {
    let environment = vm.import("os", 0)?.get_attr("environ", vm)?;
    let out_dir = vm.fsdecode(session.driver().out_dir().as_os_str());
    vm.call_method(&environment, "setdefault", ("out", out_dir))
        .map(drop)
}

/// `quit` and `exit`, which Python's interactive mode defines and scripts use.
fn quit(code: OptionalArg<PyObjectRef>, vm: &VirtualMachine) -> PyResult {
    let class = vm.ctx.exceptions.system_exit.to_owned();
    Err(vm.new_exception(class, code.into_option().into_iter().collect()))
}

/// Whether a script ended itself without saying that anything is wrong.
fn is_plain_exit(exception: &PyBaseExceptionRef, vm: &VirtualMachine) -> bool {
    exception.fast_isinstance(vm.ctx.exceptions.system_exit)
        && traceback::exit_code(exception, vm).is_some_and(|code| code == "0")
}

/// Waits for the threads that the script started and that are not daemons.
fn wait_for_threads(vm: &VirtualMachine) -> PyResult<()> {
    let modules = vm.sys_module.get_attr("modules", vm)?;
    match modules.get_item("threading", vm) {
        Ok(threading) => vm.call_method(&threading, "_shutdown", ()).map(drop),
        Err(_) => Ok(()),
    }
}

fn broken(message: String) -> Failure {
    Failure {
        kind: FailureKind::Script,
        traceback: String::new(),
        message,
        script: Box::default(),
        line: None,
        column: None,
        step: None,
    }
}

fn describe_panic(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("the Python interpreter panicked: {message}")
}
