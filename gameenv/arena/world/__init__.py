"""What levels are built of: geometry, rooms, halls, things, pictures, the guard; where one can walk or be seen."""
