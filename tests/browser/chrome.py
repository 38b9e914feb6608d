"""How the browser is started."""

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
