"""What the evaluation report is made of: the page (``report.html``, ``report.css``) and, by noun, the ``results`` it
shows, its ``charts``, ``words`` and ``clips``. ``policies.report`` puts them together.
"""
