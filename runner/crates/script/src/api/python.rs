//! The classes of the driver that are written in Python. They are described here like the native ones; a test compares.

use super::{Class, Function, Literal, Param, Property, Topic};

/// All of them.
pub(crate) const CLASSES: &[Class] = &[
    MACHINES,
    POLL,
    POLLING_CONDITION,
    exception(
        "RequestedAssertionFailed",
        "test_driver.errors",
        &["TestScriptError", "AssertionError"],
        "Something that the script demanded is not so: a command failed, a wait took too long, an assertion of `t` failed.",
    ),
    exception(
        "MachineError",
        "test_driver.errors",
        &["TestScriptError"],
        "A machine does not do its part: it died, panicked, or cannot be reached.",
    ),
    exception(
        "TestScriptError",
        "test_driver.errors",
        &["Exception"],
        "What the other errors of the driver have in common.",
    ),
    exception(
        "PollingConditionError",
        "test_driver.polling_condition",
        &["TestScriptError"],
        "A polling condition does not hold.",
    ),
    QMP_API_ERROR,
    Class {
        bases: &["unittest.TestCase"],
        properties: &[Property::in_python(
            "failureException",
            "type[BaseException]",
            "What a failed assertion raises: RequestedAssertionFailed.",
        )],
        ..Class::new(
            "AssertionTester",
            "test_driver.driver",
            "The class of `t`: the assertions of Python's unittest.",
        )
    },
    LOG_LEVEL,
    EFI_VARIABLE,
    EFI_VARS,
];

const MACHINES: Class = Class {
    bases: &["list[Machine]"],
    topics: &[Topic::only(&[
        Function::in_python(
            "copy",
            &[],
            "Machines",
            "A list of the same machines, which broadcasts, too.",
        ),
        Function::in_python(
            "snapshot",
            &[],
            "Snapshot",
            "Saves the machines as they are at one moment; see the function of this name.",
        ),
        Function::in_python(
            "restore",
            &[Param::required("snapshot", "Snapshot")],
            "None",
            "Has the machines of a snapshot go back to it, all at once.",
        ),
    ])],
    ..Class::new(
        "Machines",
        "test_driver.group",
        "A list of machines. A method of a machine that is called on the list is called on all of them at once, and returns \
         their results in order; so `machines.wait_for_unit(\"x\")` waits for all. In everything else it is a list.",
    )
};

const POLL: Class = Class {
    topics: &[Topic::only(&[Function::in_python(
        "wait",
        &[
            Param::optional("timeout_seconds", "Duration", Literal::Int(900)),
            Param::optional("timeout", "Duration | None", Literal::None),
        ],
        "None",
        "Waits until the condition holds, which is tried once in its interval. The time-out may be given under either name.",
    )])],
    properties: &[Property::in_python(
        "condition",
        "PollingCondition",
        "The condition itself.",
    )],
    is_context_manager: true,
    ..Class::new(
        "Poll",
        "test_driver.polling_condition",
        "What polling_condition() makes: `with poll:` has the condition checked during all waits in the block.",
    )
};

const POLLING_CONDITION: Class = Class {
    init: Some(&[
        Param::required("condition", "Callable[[], Any]"),
        Param::required("logger", "Logger"),
        Param::optional("seconds_interval", "Duration | None", Literal::None),
        Param::optional("description", "str | None", Literal::None),
        Param::optional("interval", "Duration | None", Literal::None).by_keyword(),
    ]),
    topics: &[Topic::only(&[
        Function::in_python(
            "check",
            &[Param::optional("force", "bool", Literal::Bool(false))],
            "Any",
            "Calls the function if its interval is over, or anyway with force, and returns what that returned; True if it was \
             not called, returned nothing, or is being checked just now.",
        ),
        Function::in_python(
            "maybe_raise",
            &[],
            "None",
            "Checks the condition and raises PollingConditionError if it does not hold.",
        ),
        Function::in_python(
            "status_message",
            &[Param::required("status", "Any")],
            "str",
            "What the log says of a check with this result.",
        ),
    ])],
    properties: &[
        Property::in_python("condition", "Callable[[], Any]", "The function."),
        Property::in_python(
            "interval",
            "timedelta",
            "How long no new check is made after one.",
        ),
        Property::in_python("seconds_interval", "float", "The interval in seconds."),
        Property::in_python(
            "description",
            "str",
            "What the log calls it: as given, or the function's docstring or name.",
        ),
        Property::in_python("logger", "Logger", "The log."),
        Property::in_python(
            "last_called",
            "float",
            "When the last check ended, in seconds; minus infinity before the first.",
        ),
        Property::in_python("entry_count", "int", "How many checks are under way."),
        Property::in_python("entered", "bool", "Whether a check is under way.").read_only(),
        Property::in_python("overdue", "bool", "Whether the interval is over.").read_only(),
        Property::in_python("nested_message", "str", "What the log calls a check.").read_only(),
    ],
    is_context_manager: true,
    ..Class::new(
        "PollingCondition",
        "test_driver.polling_condition",
        "A condition that is checked again and again.",
    )
};

const QMP_API_ERROR: Class = Class {
    bases: &["RuntimeError"],
    init: Some(&[
        Param::required("class_name", "str | dict[str, Any]"),
        Param::optional("description", "str | None", Literal::None),
        Param::optional("transaction_id", "str | None", Literal::None),
    ]),
    properties: &[
        Property::in_python(
            "class_name",
            "str",
            "QEMU's class of the error, such as GenericError.",
        ),
        Property::in_python("description", "str", "What QEMU says."),
        Property::in_python(
            "transaction_id",
            "str | None",
            "The number of the command, if it is known.",
        ),
    ],
    ..Class::new(
        "QMPAPIError",
        "test_driver.machine.qmp",
        "QEMU refuses a command of QMP. It may be made of QEMU's reply alone, `{\"error\": {\"class\": …, \"desc\": …}}`, or of \
         the error in that.",
    )
};

const LOG_LEVEL: Class = Class {
    bases: &["IntEnum"],
    properties: &[
        Property::in_python("DEBUG", "int", "1").read_only(),
        Property::in_python("INFO", "int", "2").read_only(),
        Property::in_python("WARNING", "int", "3").read_only(),
        Property::in_python("ERROR", "int", "4").read_only(),
    ],
    ..Class::new(
        "LogLevel",
        "test_driver.logger",
        "The levels that log.set_log_level() knows.",
    )
};

const EFI_VARIABLE: Class = Class {
    init: Some(&[
        Param::optional("vendor_uuid", "uuid.UUID | None", Literal::None),
        Param::optional("name", "str | None", Literal::None),
        Param::optional("data", "bytes | None", Literal::None),
        Param::optional("state", "int | None", Literal::None),
        Param::optional("flags", "int | None", Literal::None),
    ]),
    topics: &[Topic::only(&[
        Function::in_python(
            "deserialize",
            &[Param::required("f", "BinaryIO")],
            "EfiVariable | None",
            "Reads a variable from a file; None at the end of the store.",
        ),
        Function::in_python(
            "deserializeFromDocument",
            &[
                Param::required("vendorID", "str"),
                Param::required("name", "str"),
                Param::required("doc", "dict[str, Any]"),
            ],
            "EfiVariable",
            "Makes a variable from a dictionary with `Data`, and perhaps `Volatile`, `Boot Access`, `Runtime Access`, \
             `Timestamp` and so on.",
        ),
        Function::in_python(
            "serialize",
            &[],
            "bytes",
            "The variable as it lies in the firmware's flash.",
        ),
        Function::in_python("print", &[], "None", "Prints the variable."),
    ])],
    of_class: &["deserialize", "deserializeFromDocument"],
    properties: &[
        Property::in_python("name", "str", "Its name."),
        Property::in_python("data", "bytes", "Its value."),
        Property::in_python(
            "vendorUUID",
            "uuid.UUID",
            "The vendor's GUID: the bytes of the flash, whose first three fields are in little endian order.",
        ),
        Property::in_python("state", "int", "The state's byte in the flash."),
        Property::in_python(
            "flags",
            "int",
            "Flags that none of the attributes below stands for; of a new variable all flags.",
        ),
        Property::in_python(
            "volatile",
            "bool",
            "Whether it is lost when the machine is switched off.",
        ),
        Property::in_python("boot_access", "bool", "Whether boot services see it."),
        Property::in_python(
            "runtime_access",
            "bool",
            "Whether the running system sees it.",
        ),
        Property::in_python(
            "hardware_error_record",
            "bool",
            "Whether it is a record of a hardware error.",
        ),
        Property::in_python(
            "authenticated_write_access",
            "bool",
            "Whether writing it needs a signature, by the old rule.",
        ),
        Property::in_python(
            "time_based_authenticated_write_access",
            "bool",
            "Whether writing it needs a signature with a time.",
        ),
        Property::in_python("append_write", "bool", "Whether writing appends to it."),
        Property::in_python("isDeleted", "bool", "Whether it was deleted.").read_only(),
        Property::in_python("magic", "int", "0x55AA"),
        Property::in_python("reserved1", "int", "0"),
        Property::in_python("monotonicCount", "int", "A counter against replays."),
        Property::in_python(
            "timestamp",
            "bytes",
            "When it was signed: an EFI_TIME of 16 bytes.",
        ),
        Property::in_python("pubKeyIdx", "int", "Which key signs it."),
        Property::in_python(
            "nameLen",
            "int",
            "The length of the name in the flash, in bytes.",
        ),
        Property::in_python("dataLen", "int", "The length of the data, in bytes."),
        Property::in_python("Flags", "Any", "The constants of flags."),
        Property::in_python("State", "Any", "The constants of states."),
    ],
    ..Class::new(
        "EfiVariable",
        "test_driver.efi",
        "A variable of UEFI firmware.",
    )
};

const EFI_VARS: Class = Class {
    init: Some(&[
        Param::required("state_path", "str | Path"),
        Param::required("machine", "Machine"),
    ]),
    topics: &[Topic::only(&[
        Function::in_python(
            "read_content",
            &[],
            "dict[str, dict[str, EfiVariable]] | None",
            "The variables by vendor (the name of its GUID in EDK II, if it has one) and name; None when there is no such file.",
        ),
        Function::in_python(
            "create_empty",
            &[],
            "None",
            "Writes a store without variables; fails when there is one.",
        ),
        Function::in_python(
            "write",
            &[Param::required("add", "list[EfiVariable]")],
            "None",
            "Adds variables, in place of those of the same vendor and name.",
        ),
    ])],
    properties: &[
        Property::in_python("state_path", "str | Path", "The file."),
        Property::in_python("machine", "Machine", "The machine, which must be off."),
    ],
    ..Class::new(
        "EfiVars",
        "test_driver.efi",
        "The variables of a machine's UEFI firmware, in the file that it has for its flash.",
    )
};

const fn exception(
    name: &'static str,
    module: &'static str,
    bases: &'static [&'static str],
    doc: &'static str,
) -> Class {
    Class {
        bases,
        ..Class::new(name, module, doc)
    }
}
