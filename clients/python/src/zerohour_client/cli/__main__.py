from zerohour_client.cli import main

main()
