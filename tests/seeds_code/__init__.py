"""The code of the lessons that this project grew from, word for word: the doctor must say of each what is so."""
