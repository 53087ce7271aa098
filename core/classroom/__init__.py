"""A class in a lesson: rooms with a code, a teacher who steers, students who guess. No screen, no network."""
