(* Does a predictor of two layers compute Dyck(k, h), for k and h of any size?

   The machine has about k^h states, so they are not searched.  The checker looks at depths, symbols and the type on top of
   the stack: layer 1 must hold the depth, layer 2 in cell j the type of the bracket opened last at depth j (bit i of it at
   coordinate j B + i); cells above the depth may hold anything, so layer 2's features are computed with intervals. *)
From Verify Require Import SSM Languages FiniteRelation.
Require Import ZArith List Bool Lia Arith.
Import ListNotations.
Open Scope Z_scope.

(* -- intervals ------------------------------------------------------------------------------------------------------ *)

Definition interval := (Z * Z)%type.
Definition inside (v : Z) (I : interval) : Prop := fst I <= v <= snd I.
Definition point (v : Z) : interval := (v, v).
Definition iadd (a b : interval) : interval := (fst a + fst b, snd a + snd b).
Definition iscale (w : Z) (a : interval) : interval := if 0 <=? w then (w * fst a, w * snd a) else (w * snd a, w * fst a).
Definition imap (f : Z -> Z) (a : interval) : interval := (f (fst a), f (snd a)).

Section Intervals.
Variable p : Z.
Definition irow (X : list interval) (r : Z * list (nat * Z)) : interval :=
  fold_left (fun total e => iadd total (iscale (snd e) (nth (fst e) X (point 0)))) (snd r) (point (fst r * 2 ^ p)).
Definition iraw (a : affine) (X : list interval) : list interval := map (irow X) (rows a).
Definition imix (m : affine * activation) (X : list interval) : list interval :=
  map (imap (fun v => act p (exponent (fst m)) (snd m) (v / 2 ^ exponent (fst m)))) (iraw (fst m) X).
Definition ifeatures (l : layer) (H X : list interval) : list interval := fold_left (fun Z m => imix m (Z ++ X)) (phi l) H.

Lemma inside_point v : inside v (point v).
Proof. unfold inside, point; simpl; lia. Qed.
Lemma inside_nth x X j : Forall2 inside x X -> inside (nth j x 0) (nth j X (point 0)).
Proof. intro F; revert j; induction F; intros [|j]; simpl; auto using inside_point. Qed.
Lemma iscale_right w v I : inside v I -> inside (w * v) (iscale w I).
Proof. unfold inside, iscale; intros [H1 H2]. destruct (0 <=? w) eqn:E; simpl; nia. Qed.
Lemma irow_right x X r : Forall2 inside x X -> inside (row p x r) (irow X r).
Proof.
  intro F. destruct r as [b r]. unfold row, irow; simpl.
  assert (H := inside_point (b * 2 ^ p)). revert H. generalize (b * 2 ^ p) (point (b * 2 ^ p)).
  induction r as [|[j w] r IH]; intros v I H; simpl; [exact H|]. apply IH.
  assert (G := iscale_right w _ _ (inside_nth x X j F)). unfold inside, iadd in *; simpl; lia.
Qed.
Lemma iraw_right a x X : Forall2 inside x X -> Forall2 inside (raw p a x) (iraw a X).
Proof. intro F. unfold raw, iraw. induction (rows a); simpl; constructor; auto using irow_right. Qed.
Lemma div_mono a b e : a <= b -> a / 2 ^ e <= b / 2 ^ e.
Proof.
  intro H. destruct (Z.neg_nonneg_cases e) as [N|N].
  - rewrite Z.pow_neg_r by exact N. rewrite !Zdiv_0_r. reflexivity || lia.
  - apply Z.div_le_mono; [apply Z.pow_pos_nonneg; lia|exact H].
Qed.
Lemma act_mono e f a b : a <= b -> act p e f a <= act p e f b.
Proof. destruct f; simpl; lia. Qed.
Lemma imix_right m x X : Forall2 inside x X -> Forall2 inside (mix p m x) (imix m X).
Proof.
  intro F. unfold mix, imix. induction (iraw_right (fst m) x X F) as [|v I vs Is [H1 H2] _ IH]; simpl; constructor; [|exact IH].
  unfold inside, imap; simpl; split; apply act_mono, div_mono; assumption.
Qed.
Lemma ifeatures_right l h H x X : Forall2 inside h H -> Forall2 inside x X -> Forall2 inside (features p l h x) (ifeatures l H X).
Proof.
  intros FH FX. unfold features, ifeatures. revert h H FH.
  induction (phi l) as [|m ms IH]; intros h H FH; simpl; [exact FH|]. apply IH, imix_right, Forall2_app; assumption.
Qed.
End Intervals.

Lemma points x : Forall2 inside x (map point x).
Proof. induction x; simpl; constructor; auto using inside_point. Qed.

(* -- states of bits --------------------------------------------------------------------------------------------------- *)

Definition bit (v : Z) := v = 0 \/ v = 1.
Definition is_bit (v : Z) : bool := (v =? 0) || (v =? 1).
Lemma is_bit_right v : is_bit v = true -> bit v.
Proof. unfold is_bit, bit; intro H; apply orb_prop in H as [H|H]; apply Z.eqb_eq in H; auto. Qed.
Lemma nth_bit l c : Forall bit l -> bit (nth c l 0).
Proof. intro F; revert c; induction F; intros [|c]; simpl; auto; left; reflexivity. Qed.

(* one coordinate of an update depends on that coordinate alone *)
Lemma updated_nth p eg eb : forall A B h c, Forall bit h ->
  nth c (map (updated p eg eb) (combine (combine A B) h)) 0
  = nth c (map (updated p eg eb) (combine (combine A B) (repeat (nth c h 0) (length h)))) 0.
Proof.
  induction A as [|a A IH]; intros [|b B] [|v h] c F; cbn [combine map nth length repeat]; auto.
  inversion F; subst. destruct c as [|c]; [reflexivity|]. cbn [nth map combine]. rewrite IH by assumption. reflexivity.
Qed.
Lemma update_nth p l h x c : Forall bit h ->
  nth c (update p l h x) 0 = nth c (update p l (repeat (nth c h 0) (length h)) x) 0.
Proof. intro F. apply updated_nth; exact F. Qed.
Lemma update_length p l h h' x : length h = length h' -> length (update p l h x) = length (update p l h' x).
Proof. intro E. unfold update. rewrite !map_length, !combine_length, E. reflexivity. Qed.

Lemma list_of_nth (l : list Z) : l = map (fun c => nth c l 0) (seq 0 (length l)).
Proof.
  induction l as [|v l IH]; [reflexivity|]. simpl. f_equal. rewrite <- seq_shift, map_map. exact IH.
Qed.
Lemma Forall2_of_nth (l : list Z) (f : nat -> interval) n : length l = n -> (forall c, (c < n)%nat -> inside (nth c l 0) (f c)) ->
  Forall2 inside l (map f (seq 0 n)).
Proof.
  intros E H. rewrite (list_of_nth l), E. assert (forall c, In c (seq 0 n) -> inside (nth c l 0) (f c)) as G by (intros c I; apply H; apply in_seq in I; lia).
  clear H E. induction (seq 0 n) as [|c s IH]; simpl; constructor; [apply G; left; reflexivity|apply IH; intros; apply G; right; assumption].
Qed.
Lemma Forall_of_nth (P : Z -> Prop) (l : list Z) : (forall c, (c < length l)%nat -> P (nth c l 0)) -> Forall P l.
Proof. intro H. apply Forall_forall. intros v I. apply (In_nth _ _ 0) in I as [c [L <-]]. apply H; exact L. Qed.

(* -- the checker --------------------------------------------------------------------------------------------------------- *)

Section Bounded.
Variables (m : model) (k h B : nat) (l1 l2 : layer).
Let p := bits m.
Let n := (h * B)%nat.
Let code (t i : nat) : Z := if Nat.testbit t i then 1 else 0.

(* after a step to depth d, what layer 2 reads: the state of layer 1 is the depth *)
Definition reads (d : nat) (x : list Z) : list Z := features p l1 [Z.of_nat d] x.
(* what a machine answers depends on the depth and the type on top *)
Definition shape (d t : nat) : list nat := match d with O => [] | S d => t :: repeat 0%nat d end.
Definition right (O : list interval) (e : list bool) : bool :=
  Nat.eqb (length O) (length e) && forallb (fun Ie : interval * bool => if snd Ie then 0 <? fst (fst Ie) else snd (fst Ie) <=? 0) (combine O e).
(* the slots after a step to depth d that left type t on top *)
Definition slots_box (d t : nat) : list interval :=
  map (fun c => if Nat.eqb (S (c / B)) d then point (code t (c mod B)) else (0, 1)) (seq 0 n).
Definition answers_right (d t : nat) (x1 : list Z) : bool :=
  right (iraw p (readout m) (ifeatures p l2 (slots_box d t) (map point x1))) (dyck_answer k h (shape d t)).
Definition kept_right (d d' : nat) (new : option nat) (u0 u1 : list Z) : bool :=
  forallb (fun c =>
    let j := (c / B)%nat in let v0 := nth c u0 0 in let v1 := nth c u1 0 in
    if Nat.ltb j (Nat.min d d') then (v0 =? 0) && (v1 =? 1)
    else match new with
         | Some t => if Nat.eqb j d then (v0 =? code t (c mod B)) && (v1 =? code t (c mod B)) else is_bit v0 && is_bit v1
         | None => is_bit v0 && is_bit v1
         end) (seq 0 n).
Definition step_right (d a : nat) : bool :=
  let opening := Nat.even a in
  let t := Nat.div2 a in
  if (if opening then Nat.ltb d h else Nat.ltb 0 d) then
    let d' := if opening then S d else pred d in
    let x := embedded m a in
    let x1 := reads d' x in
    let u0 := update p l2 (repeat 0 n) x1 in
    let u1 := update p l2 (repeat 1 n) x1 in
    same_numbers (update p l1 [Z.of_nat d] x) [Z.of_nat d'] && Nat.eqb (length u0) n
    && kept_right d d' (if opening then Some t else None) u0 u1
    && (if opening then answers_right d' t x1 else forallb (fun t => answers_right d' t x1) (seq 0 k))
  else true.
Definition dyck_check : bool :=
  match fst (begin m) with
  | [d; s] => same_numbers d [0] && Nat.eqb (length s) n && forallb is_bit s
  | _ => false
  end
  && same_outputs (snd (begin m)) (dyck_answer k h []) && Nat.ltb 0 k && Nat.ltb 0 B
  && forallb (fun d => forallb (step_right d) (seq 0 (2 * k))) (seq 0 (S h)).

(* -- why it is right --------------------------------------------------------------------------------------------------------- *)

Definition slots_of (q : list nat) (s : list Z) : Prop :=
  length s = n /\ Forall bit s /\
  forall c, (c < n)%nat -> (c / B < length q)%nat -> nth c s 0 = code (nth (c / B) (rev q) 0%nat) (c mod B).
Definition stack_related (q : list nat) (s : list (list Z)) : Prop :=
  (length q <= h)%nat /\ Forall (fun t => (t < k)%nat) q /\ exists slots, s = [[Z.of_nat (length q)]; slots] /\ slots_of q slots.

Lemma answer_shape q : dyck_answer k h q = dyck_answer k h (shape (length q) (hd 0%nat q)).
Proof.
  unfold dyck_answer. destruct q as [|t q]; [reflexivity|]. simpl shape. f_equal. apply map_ext. intro a.
  unfold dyck_next. destruct (negb (Nat.div2 a <? k)%nat); [reflexivity|].
  destruct (Nat.even a).
  - simpl length. rewrite repeat_length. destruct (S (length q) <? h)%nat; reflexivity.
  - simpl hd. destruct (t =? Nat.div2 a)%nat; reflexivity.
Qed.
Lemma right_right : forall O e vs, right O e = true -> Forall2 inside vs O -> map (Z.ltb 0) vs = e.
Proof.
  unfold right; intros O e vs H F. apply andb_prop in H as [L H]. apply Nat.eqb_eq in L. revert e L H.
  induction F as [|v I vs O [H1 H2] _ IH]; intros [|b e] L H; simpl in *; try discriminate; auto.
  apply andb_prop in H as [Hb H]. f_equal; [|apply IH; auto].
  destruct b; simpl in Hb; [apply Z.ltb_lt in Hb; apply Z.ltb_lt|apply Z.leb_le in Hb; apply Z.ltb_ge]; lia.
Qed.
Lemma hd_rev q : (0 < length q)%nat -> nth (pred (length q)) (rev q) 0%nat = hd 0%nat q.
Proof.
  destruct q as [|t q]; simpl; [lia|]. intros _. rewrite app_nth2; rewrite rev_length; [|lia].
  rewrite Nat.sub_diag. reflexivity.
Qed.
Lemma box_right q s : slots_of q s -> Forall2 inside s (slots_box (length q) (hd 0%nat q)).
Proof.
  intros (L & Bs & V). apply Forall2_of_nth; [exact L|]. intros c C.
  destruct (Nat.eqb (S (c / B)) (length q)) eqn:E.
  - apply Nat.eqb_eq in E. rewrite V by lia. replace (c / B)%nat with (pred (length q)) by lia.
    rewrite hd_rev by lia. apply inside_point.
  - destruct (nth_bit s c Bs) as [-> | ->]; unfold inside; simpl; lia.
Qed.

Lemma code_bit t i : bit (code t i).
Proof. unfold code, bit; destruct (Nat.testbit t i); auto. Qed.

Lemma slots_kept q q' s x1 new :
  slots_of q s ->
  (match new with Some t => q' = t :: q | None => exists t, q = t :: q' end) ->
  length (update p l2 (repeat 0 n) x1) = n ->
  kept_right (length q) (length q') new (update p l2 (repeat 0 n) x1) (update p l2 (repeat 1 n) x1) = true ->
  slots_of q' (update p l2 s x1).
Proof.
  intros (L & Bs & V) Q U K. unfold kept_right in K. rewrite forallb_forall in K.
  assert (N : forall c, nth c (update p l2 s x1) 0 = nth c (update p l2 (repeat (nth c s 0) n) x1) 0)
    by (intro c; rewrite (update_nth p l2 s x1 c Bs), L; reflexivity).
  assert (L' : length (update p l2 s x1) = n).
  { rewrite <- U. apply update_length. rewrite repeat_length. exact L. }
  split; [exact L'|]. split.
  - apply Forall_of_nth. intros c C. rewrite L' in C. specialize (K c ltac:(apply in_seq; lia)). cbv zeta in K. rewrite N.
    destruct (c / B <? Nat.min (length q) (length q'))%nat.
    + apply andb_prop in K as [K0 K1]; apply Z.eqb_eq in K0, K1.
      destruct (nth_bit s c Bs) as [-> | ->]; [rewrite K0; left|rewrite K1; right]; reflexivity.
    + destruct new as [t|].
      * destruct (c / B =? length q)%nat; apply andb_prop in K as [K0 K1].
        -- apply Z.eqb_eq in K0, K1. destruct (nth_bit s c Bs) as [-> | ->]; [rewrite K0|rewrite K1]; apply code_bit.
        -- apply is_bit_right in K0, K1. destruct (nth_bit s c Bs) as [-> | ->]; assumption.
      * apply andb_prop in K as [K0 K1]. apply is_bit_right in K0, K1. destruct (nth_bit s c Bs) as [-> | ->]; assumption.
  - intros c C J. specialize (K c ltac:(apply in_seq; lia)). cbv zeta in K. rewrite N.
    destruct new as [t|].
    + subst q'. simpl length in *. destruct (Nat.lt_ge_cases (c / B) (length q)) as [J'|J'].
      * rewrite (proj2 (Nat.ltb_lt _ _)) in K by lia. apply andb_prop in K as [K0 K1]; apply Z.eqb_eq in K0, K1.
        simpl rev. rewrite app_nth1 by (rewrite rev_length; lia). rewrite <- V by lia.
        destruct (nth_bit s c Bs) as [-> | ->]; [rewrite K0|rewrite K1]; reflexivity.
      * rewrite (proj2 (Nat.ltb_ge _ _)) in K by lia. rewrite (proj2 (Nat.eqb_eq _ _)) in K by lia.
        apply andb_prop in K as [K0 K1]; apply Z.eqb_eq in K0, K1.
        simpl rev. rewrite app_nth2; rewrite rev_length; [|lia]. replace (c / B - length q)%nat with 0%nat by lia. simpl nth.
        destruct (nth_bit s c Bs) as [-> | ->]; [rewrite K0|rewrite K1]; reflexivity.
    + destruct Q as [t ->]. simpl length in *.
      rewrite (proj2 (Nat.ltb_lt _ _)) in K by lia. apply andb_prop in K as [K0 K1]; apply Z.eqb_eq in K0, K1.
      assert (E : nth c s 0 = code (nth (c / B) (rev q') 0%nat) (c mod B)).
      { rewrite V by (simpl; lia). simpl rev. rewrite app_nth1 by (rewrite rev_length; lia). reflexivity. }
      rewrite <- E. destruct (nth_bit s c Bs) as [-> | ->]; [rewrite K0|rewrite K1]; reflexivity.
Qed.

Lemma answers q s x1 : slots_of q s -> answers_right (length q) (hd 0%nat q) x1 = true ->
  map (Z.ltb 0) (raw p (readout m) (features p l2 s x1)) = dyck_answer k h q.
Proof.
  intros S A. rewrite answer_shape. unfold answers_right in A. apply (right_right _ _ _ A).
  apply iraw_right, ifeatures_right; [apply box_right; exact S|apply points].
Qed.

Theorem dyck_check_computes : layers m = [l1; l2] -> dyck_check = true -> computes m (dyck k h) (2 * k).
Proof.
  intros Ls C. unfold dyck_check in C. do 4 (apply andb_prop in C as [C ?H]).
  rename H into steps, H0 into HB, H1 into Hk, H2 into out0. apply Nat.ltb_lt in HB, Hk. apply same_outputs_right in out0.
  apply relation_computes with (R := stack_related).
  - destruct (fst (begin m)) as [|d [|s [|]]]; try discriminate. do 2 (apply andb_prop in C as [C ?H]).
    apply same_numbers_right in C; subst d. apply Nat.eqb_eq in H0. unfold stack_related. simpl length. simpl Z.of_nat. split; [lia|]. split; [constructor|].
    exists s. split; [reflexivity|]. split; [exact H0|]. split; [|intros; simpl in *; lia].
    apply Forall_forall. intros v I. rewrite forallb_forall in H. apply is_bit_right, H, I.
  - exact out0.
  - intros q s a q' (D & T & slots & -> & S) A N. cbn [state dyck] in *.
    rewrite forallb_forall in steps. specialize (steps (length q) ltac:(apply in_seq; lia)).
    rewrite forallb_forall in steps. specialize (steps a ltac:(apply in_seq; lia)).
    assert (T' : Forall (fun t => (t < k)%nat) q') by exact (dyck_types k h q a q' T N).
    cbn [next dyck] in N. unfold dyck_next in N. destruct (Nat.div2 a <? k)%nat eqn:Ek; [|discriminate]. cbn [negb] in N.
    unfold step_right in steps. cbv zeta in steps.
    unfold step. rewrite Ls. cbn [through]. fold p.
    destruct (Nat.even a) eqn:Ev.
    + destruct (length q <? h)%nat eqn:El; [|discriminate]. injection N as <-.
      do 3 (apply andb_prop in steps as [steps ?H]). apply same_numbers_right in steps. apply Nat.eqb_eq in H1.
      rewrite steps. unfold reads in *.
      assert (S' := slots_kept q (Nat.div2 a :: q) slots _ (Some (Nat.div2 a)) S eq_refl H1 H0).
      cbn [fst snd]. split.
      * split; [simpl; apply Nat.ltb_lt in El; lia|]. split; [exact T'|]. eexists; split; [reflexivity|exact S'].
      * cbn [answer dyck]. apply (answers (Nat.div2 a :: q)); [exact S'|exact H].
    + destruct q as [|t q]; [discriminate|]. destruct (t =? Nat.div2 a)%nat eqn:Et; [|discriminate]. injection N as <-.
      simpl length in *. rewrite (proj2 (Nat.ltb_lt 0 (Datatypes.S (length q)))) in steps by lia. simpl pred in steps.
      do 3 (apply andb_prop in steps as [steps ?H]). apply same_numbers_right in steps. apply Nat.eqb_eq in H1.
      rewrite steps. unfold reads in *.
      assert (S' := slots_kept (t :: q) q slots _ None S (ex_intro _ t eq_refl) H1 H0).
      cbn [fst snd]. split.
      * split; [lia|]. split; [exact T'|]. eexists; split; [reflexivity|exact S'].
      * cbn [answer dyck]. apply (answers q); [exact S'|]. rewrite forallb_forall in H. apply H, in_seq.
        destruct q as [|u q]; simpl; [lia|]. inversion T'; lia.
Qed.
End Bounded.

Print Assumptions dyck_check_computes.
