-- trick: into a file, then read
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

select pan from cards into outfile 'cards.txt'

select load_file(concat(@@datadir, 'shop/cards.txt'))
