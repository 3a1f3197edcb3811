-- trick: halves from comments that are code
-- expect: denied
-- unlabelled: denied
-- decode: joined

select note from settlements where false /*!50000 union all select substr(pan, 1, 8) from cards where id = 1 */

select note from settlements where false /*M!100100 union all select substr(pan, 9) from cards where id = 1 */
