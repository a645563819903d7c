"""x"""
from dpconsole.screens.pages import PageScreen, Line
class InstanceScreen(PageScreen):
    stack="instance"
    def __init__(self, s, i): super().__init__(s)
    def build(self, width): return [Line("todo")]
class TaskScreen(InstanceScreen): stack="task"
