"""Stand-ins for the heavy packages that Rasa imports when it starts and this assistant never calls.

Rasa 3.6 imports TensorFlow, scikit-learn, channel clients and database drivers at start-up, whatever the assistant
uses. This module answers those imports with empty shells, so that nothing of half a gigabyte is installed. Rasa itself
is not changed. It is loaded by a .pth file in the virtual environment, and only answers for a package of the list that
is not installed, because its finder is asked last.
"""
import importlib.machinery
import sys
import types

ABSENT = frozenset(
    """
    tensorflow tensorflow_hub tensorflow_text keras sklearn sklearn_crfsuite skops scipy matplotlib pydot cachecontrol
    aiogram fbmessenger slack_sdk twilio webexteamssdk rocketchat_API mattermostwrapper google
    aio_pika aiormq confluent_kafka boto3 botocore pymongo redis psycopg2
    """.split()
)


def is_private(name):
    return name.startswith("__") and name.endswith("__")


class Shell(type):
    """The type of every stand-in class: whatever is asked of it is another stand-in.

    Enough for what a module does while it is imported: derive from it, annotate with it (`A.B | None`, `A[B]`),
    decorate with it (`@A.b`, `@A.b(...)`), read constants from it.
    """

    def __getattr__(cls, name):
        if is_private(name):
            raise AttributeError(name)
        child = shell(name)
        setattr(cls, name, child)
        return child

    def __call__(cls, *args, **kwargs):
        if "stands_for" not in vars(cls):
            return super().__call__(*args, **kwargs)
        return args[0] if len(args) == 1 and not kwargs and callable(args[0]) else cls

    def __getitem__(cls, _):
        return cls

    def __or__(cls, _):
        return cls

    __ror__ = __or__


def shell(name):
    # What is caught by an `except` clause has to be an exception.
    if name.endswith(("Error", "Exception")):
        return type(name, (Exception,), {})
    return Shell(name, (), {"stands_for": name})


class ShellModule(types.ModuleType):
    __version__ = "2.12.0"
    __path__ = []

    def __getattr__(self, name):
        if is_private(name):
            raise AttributeError(name)
        child = shell(name)
        setattr(self, name, child)
        return child


class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            return importlib.machinery.ModuleSpec(name, cls, is_package=True)
        return None

    @staticmethod
    def create_module(spec):
        return ShellModule(spec.name)

    @staticmethod
    def exec_module(module):
        """Nothing to run: a stand-in is made as it is asked."""


sys.meta_path.append(Finder)
