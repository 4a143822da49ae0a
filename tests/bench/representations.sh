# Answers in other shapes.
echo "Representations"
"$B/bench/representations"
