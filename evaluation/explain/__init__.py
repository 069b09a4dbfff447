"""Why is my AP low? The errors in results by kind, what each kind costs, the worst videos and the confused classes."""

from evaluation.explain.analysis import Explanation, explain

__all__ = ["Explanation", "explain"]
