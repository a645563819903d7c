"""Who may act where: a role per project, and a project that names no members is open (section 20)."""

from __future__ import annotations

from collections.abc import Mapping

from dpconsole.core.domain.definitions import Role

Members = Mapping[str, Mapping[str, Role]]
"""Roles by OS user, by project."""

_RANK = {role: rank for rank, role in enumerate(Role)}


def is_allowed(members: Members, project: str, user: str, needed: Role) -> bool:
    """Whether `user` holds at least the role `needed` in `project`; a project without members asks for none."""
    roles = members.get(project)
    if roles is None:
        return True
    return user in roles and _RANK[roles[user]] >= _RANK[needed]
