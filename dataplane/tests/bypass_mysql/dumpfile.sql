-- trick: into a file as it is, then read
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

select pan from cards where id = 1 into dumpfile 'card.txt'

select load_file(concat(@@datadir, 'shop/card.txt'))
