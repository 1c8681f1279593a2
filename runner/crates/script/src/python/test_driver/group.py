"""Several machines that are told the same thing at once."""

from _vmtest import Machine, parallel


class Machines(list):
    """A list of machines. A method of a machine, called on the list, is called on all of them at once and returns their
    results in order."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        method = getattr(Machine, name, None)
        if not callable(method):
            if method is not None:
                hint = f": use [machine.{name} for machine in machines]"
            else:
                hint = ""
            raise AttributeError(
                f"a list of machines has no method '{name}'{hint}", name=name, obj=self
            )

        def broadcast(*args, **kwargs):
            return parallel(*[told(machine, name, args, kwargs) for machine in self])

        broadcast.__name__ = name
        broadcast.__doc__ = method.__doc__
        return broadcast

    def snapshot(self):
        """Saves the machines as they are at one moment; see the function of this name."""
        return driver().snapshot(list(self))

    def restore(self, snapshot):
        """Has the machines of a snapshot go back to it, all at once."""
        driver().restore(snapshot)

    def __dir__(self):
        methods = (name for name in dir(Machine) if callable(getattr(Machine, name)))
        return sorted({*super().__dir__(), *methods})

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return Machines(found) if isinstance(index, slice) else found

    def __add__(self, other):
        return Machines(super().__add__(other))

    def copy(self):
        return Machines(self)


def driver():
    import _vmtest

    return _vmtest.driver


def told(machine, name, args, kwargs):
    def call():
        try:
            return getattr(machine, name)(*args, **kwargs)
        except Exception as failure:
            failure.add_note(f"on machine {machine.name}")
            raise

    return call
