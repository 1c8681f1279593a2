//! The modules that scripts import as `test_driver`: a little Python around the native classes.

use rustpython_vm::builtins::{PyModule, PyStrRef};
use rustpython_vm::function::{FuncArgs, KwArgs, OptionalArg};
use rustpython_vm::scope::Scope;
use rustpython_vm::{Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass};

/// A module.
struct Embedded {
    name: &'static str,
    source: &'static str,
    /// Whether other modules lie below it.
    is_package: bool,
    /// What scripts import from it.
    exports: &'static [&'static str],
}

macro_rules! embedded {
    ($($name:literal $path:literal $is_package:literal $exports:expr;)*) => {
        &[$(Embedded {
            name: $name,
            source: include_str!(concat!("python/", $path)),
            is_package: $is_package,
            exports: &$exports,
        },)*]
    };
}

const MODULES: &[Embedded] = embedded! {
    "test_driver" "test_driver/__init__.py" true [];
    "test_driver.debug" "test_driver/debug.py" false ["Debug", "DebugAbstract", "DebugNop"];
    "test_driver.driver" "test_driver/driver.py" false
        ["AssertionTester", "Driver", "get_tmp_dir", "pythonize_name"];
    "test_driver.duration" "test_driver/duration.py" false
        ["Duration", "as_seconds", "as_timedelta"];
    "test_driver.efi" "test_driver/efi.py" false ["EfiGuid", "EfiVariable", "EfiVars"];
    "test_driver.errors" "test_driver/errors.py" false
        ["MachineError", "RequestedAssertionFailed", "TestScriptError"];
    "test_driver.group" "test_driver/group.py" false ["Machines"];
    "test_driver.logger" "test_driver/logger.py" false [
        "AbstractLogger",
        "CompositeLogger",
        "JunitXMLLogger",
        "LogLevel",
        "Logger",
        "TerminalLogger",
        "XMLLogger",
        "rootlog",
    ];
    "test_driver.machine" "test_driver/machine/__init__.py" true [
        "BaseMachine",
        "CHAR_TO_KEY",
        "Machine",
        "MachineDeprecationWrapper",
        "NixStartScript",
        "NspawnMachine",
        "QemuMachine",
        "QemuStartCommand",
        "StartCommand",
        "make_command",
        "retry",
    ];
    "test_driver.machine.console" "test_driver/machine/console.py" false [];
    "test_driver.machine.ocr" "test_driver/machine/ocr.py" false
        ["perform_ocr_on_screenshot", "perform_ocr_variants_on_screenshot"];
    "test_driver.machine.qmp" "test_driver/machine/qmp.py" false ["QMPAPIError", "QMPSession"];
    "test_driver.machine.screen" "test_driver/machine/screen.py" false [];
    "test_driver.polling_condition" "test_driver/polling_condition.py" false
        ["Poll", "PollingCondition", "PollingConditionError"];
    "test_driver.qmp" "test_driver/qmp.py" false ["QMPAPIError", "QMPSession"];
    "test_driver.snapshot" "test_driver/snapshot.py" false ["Snapshot"];
    "test_driver.vlan" "test_driver/vlan.py" false ["VLan"];
};

/// What finds them, in `sys.meta_path`.
#[pyclass(module = "test_driver", name = "Importer")]
#[derive(Debug, PyPayload)]
pub(crate) struct Importer;

impl Importer {
    /// Makes the modules importable.
    pub(crate) fn install(vm: &VirtualMachine) -> PyResult<()> {
        let finders = vm.sys_module.get_attr("meta_path", vm)?;
        let importer = Self.into_ref(&vm.ctx);
        vm.call_method(&finders, "insert", (0, importer)).map(drop)
    }
}

#[pyclass]
impl Importer {
    #[pymethod]
    fn find_spec(
        zelf: PyRef<Self>,
        name: PyStrRef,
        _path: OptionalArg<PyObjectRef>,
        _target: OptionalArg<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> PyResult {
        let Some(module) = embedded(&name) else {
            return Ok(vm.ctx.none());
        };
        let class = vm
            .import("_frozen_importlib", 0)?
            .get_attr("ModuleSpec", vm)?;
        let keywords: KwArgs = [
            ("origin".to_owned(), vm.ctx.new_str("vmtest").into()),
            (
                "is_package".to_owned(),
                vm.ctx.new_bool(module.is_package).into(),
            ),
        ]
        .into_iter()
        .collect();
        class.call(FuncArgs::new(vec![name.into(), zelf.into()], keywords), vm)
    }

    #[pymethod]
    fn create_module(&self, _spec: PyObjectRef, vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.none()
    }

    #[pymethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the interpreter gives arguments by value"
    )]
    fn exec_module(&self, module: PyRef<PyModule>, vm: &VirtualMachine) -> PyResult<()> {
        let name: PyStrRef = module.get_attr("__name__", vm)?.try_into_value(vm)?;
        let Some(Embedded { name, source, .. }) = embedded(&name) else {
            return Err(vm.new_runtime_error("not a module of the driver"));
        };
        execute(name, source, &module, vm)
    }
}

fn embedded(name: &PyStrRef) -> Option<&'static Embedded> {
    let name = name.to_string_lossy();
    MODULES.iter().find(|module| module.name == name)
}

fn execute(name: &str, source: &str, module: &Py<PyModule>, vm: &VirtualMachine) -> PyResult<()> {
    let scope = Scope::with_builtins(None, module.dict(), vm);
    vm.run_string(scope, source, format!("<{name}>")).map(drop)
}

/// One of the modules.
pub(crate) fn import(name: &'static str, vm: &VirtualMachine) -> PyResult {
    // What an import returns is the outermost package.
    vm.import(name, 0)?;
    vm.sys_module.get_attr("modules", vm)?.get_item(name, vm)
}

/// A name that one of the modules defines.
pub(crate) fn import_from(
    module: &'static str,
    name: &'static str,
    vm: &VirtualMachine,
) -> PyResult {
    import(module, vm)?.get_attr(name, vm)
}

/// The modules of the driver that scripts can import, with what they import from them.
pub(crate) fn exports() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    MODULES.iter().map(|module| (module.name, module.exports))
}

/// Whether other modules lie below one of them.
pub(crate) fn is_package(name: &str) -> bool {
    MODULES
        .iter()
        .any(|module| module.name == name && module.is_package)
}
