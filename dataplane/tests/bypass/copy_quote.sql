-- trick: a digit as the quotation mark
-- expect: denied
-- unlabelled: denied
-- decode: digits

copy (select pan from cards) to stdout (format csv, delimiter ';', quote '1')
