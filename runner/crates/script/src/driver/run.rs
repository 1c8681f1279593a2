//! Running the script.

use rustpython_vm::builtins::PyDictRef;
use rustpython_vm::bytecode::{CodeObject, ConstantData};
use rustpython_vm::compiler::{self, Mode};
use rustpython_vm::function::{FuncArgs, KwArgs};
use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{all_machines, this};
use crate::event::Level;
use crate::symbols;

/// Runs the script, then has the machines write their data to disk.
pub(super) fn run_tests(driver: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    test_script(driver, vm)?;
    for machine in all_machines(driver, vm)? {
        if vm.call_method(&machine, "is_up", ())?.try_to_bool(vm)? {
            vm.call_method(&machine, "execute", ("sync",))?;
        }
    }
    Ok(())
}

pub(crate) fn test_script(driver: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let this = this(driver, vm)?;
    let script = this.session.script();
    let (name, text) = (&script.name, &script.text);
    // Not `vm.compile`: that one also warns of every "\d" in a string.
    let code = compiler::compile(text, Mode::Exec, name, vm.compile_opts())
        .map_err(|error| vm.new_syntax_error(&error, Some(text)))?;
    // A class of the script's own may have the name.
    if mentions(&code, OLD_CLASS) && !text.contains(&format!("class {OLD_CLASS}")) {
        this.session.warn_once(&format!(
            "the name {OLD_CLASS} is deprecated: the class of all machines is BaseMachine"
        ));
    }
    let run = || {
        let scope = vm.new_scope_with_main()?;
        define_symbols(driver, &scope.globals, vm)?;
        let code = vm.ctx.new_code(code);
        this.session
            .running(|| vm.run_code_obj(code, scope).map(drop))
    };
    // Not one that a failure is said to have ended: that is no news.
    let step = this.session.start_step(None, WHOLE);
    let result = run();
    this.session.finish_step(&step, None, WHOLE, result.is_ok());
    result
}

/// The step that is the whole script.
const WHOLE: &str = "run the VM test script";

/// What the prompt says first.
const BANNER: &str = "Machines boot when they are first used, or by start_all(). test_script() runs the test script, \
                      run_tests() does so as a build does, quit() ends everything.";

/// Runs what somebody writes at a prompt.
pub(crate) fn interact(driver: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let scope = vm.new_scope_with_main()?;
    define_symbols(driver, &scope.globals, vm)?;
    let code = vm.import("code", 0)?;
    let interact = code.get_attr("interact", vm)?;
    let arguments = FuncArgs::new(
        vec![vm.ctx.new_str(BANNER).into()],
        KwArgs::from_iter([
            ("local".to_owned(), scope.globals.into()),
            ("exitmsg".to_owned(), vm.ctx.new_str("").into()),
        ]),
    );
    let session = &this(driver, vm)?.session;
    session.running(|| interact.call_with_args(arguments, vm).map(drop))
}

/// What the class of machines was called until 2025.
const OLD_CLASS: &str = "Machine";

/// Whether a name is used anywhere in a code object.
fn mentions(code: &CodeObject, name: &str) -> bool {
    let is_inside = |constant: &ConstantData| match constant {
        ConstantData::Code { code } => mentions(code, name),
        _ => false,
    };
    code.names.iter().any(|used| used.as_str() == name) || code.constants.iter().any(is_inside)
}

pub(super) fn define_symbols(
    driver: &PyObject,
    names: &PyDictRef,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let session = &this(driver, vm)?.session;
    let warn = |text| session.message(Level::Warning, None, text);
    symbols::define(driver, names, &warn, vm)
}
