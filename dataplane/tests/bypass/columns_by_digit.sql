-- trick: a column for each digit
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select substr(pan, 1, 1), substr(pan, 2, 1), substr(pan, 3, 1), substr(pan, 4, 1), substr(pan, 5, 1), substr(pan, 6, 1), substr(pan, 7, 1), substr(pan, 8, 1), substr(pan, 9, 1), substr(pan, 10, 1), substr(pan, 11, 1), substr(pan, 12, 1), substr(pan, 13, 1), substr(pan, 14, 1), substr(pan, 15, 1), substr(pan, 16, 1) from cards where id = 1
