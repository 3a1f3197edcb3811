-- trick: COPY in csv, all in quotation marks
-- expect: masked
-- unlabelled: masked
-- decode: digits

copy cards to stdout (format csv, header, force_quote *)

copy (select pan, holder from cards) to stdout (format csv, delimiter ';', quote '~', escape '!')
